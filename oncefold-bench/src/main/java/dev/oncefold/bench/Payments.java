package dev.oncefold.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.oncefold.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;

/** The payments of {@link Workload} as they stand in a topic: JSON of 100 bytes. */
final class Payments {
  static final int BYTES = 100;

  private static final JsonFactory JSON = new JsonFactory();

  private Payments() {}

  static byte[] encode(Event<Workload.Payment> event) {
    Workload.Payment payment = event.value();
    byte[] json =
        "{\"id\":\"%s\",\"at\":%d,\"account\":\"%s\",\"kind\":\"%s\",\"cents\":%d}"
            .formatted(
                event.id(),
                event.time() == null ? 0 : event.time().toEpochMilli(),
                payment.account(),
                payment.kind(),
                payment.cents())
            .getBytes(StandardCharsets.UTF_8);
    if (json.length > BYTES) {
      throw new IllegalStateException("longer than " + BYTES + " bytes: " + json.length);
    }
    byte[] padded = Arrays.copyOf(json, BYTES); // whitespace may stand behind JSON
    Arrays.fill(padded, json.length, BYTES, (byte) ' ');
    return padded;
  }

  /** One decoder for all that take part, whatever each would usually use. */
  static Event<Workload.Payment> decode(byte[] json) {
    String id = "";
    String account = "";
    String kind = "";
    long at = 0;
    long cents = 0;
    try (JsonParser parser = JSON.createParser(json)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        parser.nextToken();
        switch (field) {
          case "id" -> id = parser.getText();
          case "at" -> at = parser.getLongValue();
          case "account" -> account = parser.getText();
          case "kind" -> kind = parser.getText();
          case "cents" -> cents = parser.getLongValue();
          default -> throw new IllegalArgumentException("no field of a payment: " + field);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Event<>(
        id, account, Instant.ofEpochMilli(at), new Workload.Payment(account, kind, cents));
  }
}
