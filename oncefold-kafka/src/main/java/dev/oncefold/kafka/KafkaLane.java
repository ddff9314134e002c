package dev.oncefold.kafka;

import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** One lane of a {@link KafkaSink}: a producer whose transactions also move the position. */
final class KafkaLane implements Sink.Lane {
  private final KafkaSink.Plan plan;
  private final Settings settings;
  private final String lane;
  private final Producer<byte[], byte[]> producer;
  private final Consumer<KafkaLane> whenClosed;
  private long position;
  private boolean failed;

  KafkaLane(
      KafkaSink.Plan plan,
      Settings settings,
      String lane,
      Producer<byte[], byte[]> producer,
      long position,
      Consumer<KafkaLane> whenClosed) {
    this.plan = plan;
    this.settings = settings;
    this.lane = lane;
    this.producer = producer;
    this.position = position;
    this.whenClosed = whenClosed;
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public void write(List<Sink.Message> messages, long to) {
    if (failed) {
      throw new SinkException(told() + "has failed before: open it again");
    }
    if (to < position) {
      throw new IllegalArgumentException(
          told() + "is at " + position + " and does not go back to " + to);
    }
    failed = true; // until it is committed
    try {
      producer.beginTransaction();
      for (Sink.Message message : messages) {
        send(message);
      }
      // What a send fails with, the commit throws.
      var unused =
          producer.send(
              new ProducerRecord<>(
                  plan.positions(), 0, bytes(plan.key(lane)), bytes(Long.toString(to))));
      producer.commitTransaction();
    } catch (RuntimeException e) {
      throw KafkaSink.failed(told() + "cannot be written: ", settings, e);
    }
    position = to;
    failed = false;
  }

  private void send(Sink.Message message) {
    String topic = plan.topic(message.output());
    if (topic == null) {
      throw new SinkException(
          told()
              + "has no topic for "
              + (message.output() == null
                  ? "refusals: name one by KafkaSink.refusals"
                  : "the output \"" + message.output() + "\": name one by KafkaSink.output"));
    }
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, bytes(message.key()), message.value());
    record.headers().add(KafkaSink.ID, bytes(message.id()));
    var unused = producer.send(record);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private String told() {
    return "the lane \"" + lane + "\" of " + plan + " ";
  }

  @Override
  public void close() {
    // What is unfinished is aborted: by the cluster, at the latest when the lane is opened again.
    producer.close(Duration.ZERO);
    whenClosed.accept(this);
  }
}
