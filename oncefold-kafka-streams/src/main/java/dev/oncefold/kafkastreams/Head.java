package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Kernel;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The last record of every flush: what a task has counted and how far it has come.
 *
 * @param counts the counts of the task
 * @param floor the floor of the task
 * @param inputs how far each input partition was applied by the task, by {@code topic id/partition}
 */
record Head(Counts counts, long floor, Map<String, Input> inputs) {
  static final Head NONE = new Head(Counts.NONE, Kernel.NO_FLOOR, Map.of());
  private static final int FORMAT = 1;

  /**
   * An input partition.
   *
   * @param topic the topic
   * @param partition the partition
   * @param offset the offset of the last event applied
   * @param place its place among the events of one record
   * @param watermark the greatest time Applied or Rejected
   */
  record Input(String topic, int partition, long offset, int place, long watermark) {}

  byte[] bytes() {
    Encoder out = new Encoder();
    out.writeByte(FORMAT);
    out.writeUnsigned(counts.applied()).writeUnsigned(counts.rejected());
    out.writeUnsigned(counts.duplicates()).writeUnsigned(counts.conflicts());
    out.writeUnsigned(counts.expired()).writeUnsigned(counts.failed());
    out.writeUnsigned(counts.outputs()).writeSigned(floor).writeUnsigned(inputs.size());
    inputs.forEach(
        (id, input) -> {
          out.writeString(id).writeString(input.topic).writeUnsigned(input.partition);
          out.writeUnsigned(input.offset).writeUnsigned(input.place).writeSigned(input.watermark);
        });
    return out.toByteArray();
  }

  static Head read(Decoder in) {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new IllegalStateException(
          "the head is of format " + format + ", and " + FORMAT + " is known");
    }
    Counts counts =
        new Counts(
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned());
    long floor = in.readSigned();
    Map<String, Input> inputs = new LinkedHashMap<>();
    for (int left = in.readCount(); left > 0; left--) {
      inputs.put(
          in.readString(),
          new Input(
              in.readString(),
              (int) in.readUnsigned(),
              in.readUnsigned(),
              (int) in.readUnsigned(),
              in.readSigned()));
    }
    return new Head(counts, floor, inputs);
  }
}
