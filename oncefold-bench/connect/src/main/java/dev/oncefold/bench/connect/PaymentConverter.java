package dev.oncefold.bench.connect;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;

/**
 * The key and the payment as the row that the sink is to write. Connect's own JSON converter would want the
 * schema in every event, which makes it several times as long: this one costs the sink less.
 */
public final class PaymentConverter implements Converter {
  private static final JsonFactory JSON = new JsonFactory();
  private static final Schema ROW =
      SchemaBuilder.struct()
          .name("payment")
          .field("cents", Schema.INT64_SCHEMA)
          .field("payments", Schema.INT64_SCHEMA)
          .build();

  private static final Schema KEY =
      SchemaBuilder.struct().name("account").field("key", Schema.STRING_SCHEMA).build();

  private boolean isKey;

  @Override
  public void configure(Map<String, ?> configs, boolean key) {
    isKey = key;
  }

  @Override
  public byte[] fromConnectData(String topic, Schema schema, Object value) {
    throw new DataException("only for a sink");
  }

  @Override
  public SchemaAndValue toConnectData(String topic, byte[] json) {
    if (isKey) {
      return new SchemaAndValue(
          KEY, new Struct(KEY).put("key", new String(json, StandardCharsets.UTF_8)));
    }
    long cents = 0;
    try (JsonParser parser = JSON.createParser(json)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        parser.nextToken();
        if (field.equals("cents")) {
          cents = parser.getLongValue();
        }
      }
    } catch (IOException e) {
      throw new DataException(e);
    }
    return new SchemaAndValue(ROW, new Struct(ROW).put("cents", cents).put("payments", 1L));
  }
}
