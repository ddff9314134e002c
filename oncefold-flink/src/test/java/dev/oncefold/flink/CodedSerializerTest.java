package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class CodedSerializerTest {
  private record Texts() implements CodedType.Form<String> {
    private static final long serialVersionUID = 1;

    @Override
    public String schema() {
      return "text";
    }

    @Override
    public void write(String value, Encoder out) {
      out.writeString(value);
    }

    @Override
    public String read(Decoder in) {
      String text = in.readString();
      assertThat(in.remaining()).isZero();
      return text;
    }
  }

  /** They are read through one array, the long one apart: nothing of one is seen in another. */
  @Test
  void valuesOfAllLengthsFollowEachOther() throws Exception {
    CodedSerializer<String> serializer = new CodedSerializer<>(new Texts());
    List<String> values =
        List.of("one", "", "three", "4".repeat(65_000), "5".repeat(70_000), "six", "seven");
    DataOutputSerializer out = new DataOutputSerializer(64);
    for (String each : values) {
      serializer.serialize(each, out);
    }
    DataInputDeserializer in = new DataInputDeserializer(out.getCopyOfBuffer());
    List<String> read = new ArrayList<>();
    while (in.available() > 0) {
      read.add(serializer.deserialize(in));
    }
    assertThat(read).isEqualTo(values);
  }
}
