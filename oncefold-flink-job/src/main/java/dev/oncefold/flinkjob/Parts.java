package dev.oncefold.flinkjob;

import dev.oncefold.pipeline.TopicRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A record as the pipeline takes it. */
record Parts(ConsumerRecord<byte[], byte[]> record) implements TopicRecord {
  @Override
  public byte @Nullable [] key() {
    return record.key();
  }

  @Override
  public byte @Nullable [] value() {
    return record.value();
  }

  @Override
  public long timestamp() {
    return record.timestamp();
  }

  @Override
  public byte @Nullable [] header(String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? null : header.value();
  }
}
