package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Position;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.cli.Summary.FailedEvent;
import dev.oncefold.kafka.KafkaSource;
import dev.oncefold.pipeline.Origin;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.TopicRecord;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A run reads a topic of Kafka, for ever: as a member of a group, or all of it. */
record TopicReading(PipelineFile given, Pipeline pipeline, Origin.Kafka topic) implements Reading {
  @Override
  public Source<Row> open() {
    KafkaSource<Row> source =
        KafkaSource.of(
                topic.bootstrap(), topic.topic(), record -> pipeline.event(new Parts(record)))
            .named(topic.name())
            .startingAt(
                topic.start() == Origin.Start.BEGINNING
                    ? KafkaSource.Start.BEGINNING
                    : KafkaSource.Start.END)
            .with(topic.properties().values());
    String group = topic.group();
    return group == null ? source : source.group(group);
  }

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

  @Override
  public boolean isEndless() {
    return true;
  }

  @Override
  public boolean isPosition(String text) {
    return text.matches(Pattern.quote(topic.name()) + "-\\d{1,9}@\\d{1,18}");
  }

  @Override
  public String positionLike() {
    return topic.name() + "-0@1234";
  }

  @Override
  public Pace pace(Map<String, Position> from) {
    return new Pace(name(), 0, 0);
  }

  @Override
  public long offset(Map<String, Position> at) {
    return 0;
  }

  @Override
  public String behind(Source<Row> source) {
    OptionalLong behind =
        source instanceof KafkaSource<Row> kafka ? kafka.behind() : OptionalLong.empty();
    return behind.isEmpty() ? "" : String.format(Locale.ROOT, ", %,d behind", behind.getAsLong());
  }

  private String name() {
    return "the topic " + topic.topic();
  }

  @Override
  public String begins(Source<Row> source, Map<String, Position> from, Counts before) {
    return (topic.group() == null
            ? "reads all partitions of " + name()
            : "reads " + name() + " with the group " + topic.group())
        + Reading.behind(before);
  }

  @Override
  public String atEnd(Counts counted, Map<String, Position> from) {
    return "Applied " + name() + "."; // it has no end
  }

  @Override
  public String stopped(boolean asUsual) {
    return "Stopped. Run it again to go on from here.";
  }

  @Override
  public String stoppedByAProblem() {
    return "Stopped. Everything it judged is committed.";
  }

  @Override
  public String stoppedBefore(FailedEvent failed) {
    return "Stopped before " + failed.position() + ".";
  }

  @Override
  public FailedEvent failed(FailedEventException e) {
    return new FailedEvent(e.position(), 0, e.reason());
  }

  @Override
  public String told(FailedEvent failed) {
    return "the event at "
        + failed.position()
        + " failed: "
        + Reading.reason(failed)
        + NOTHING_APPLIED
        + "Let it go to the refusals:\n  "
        + given.command("run")
        + " --refuse "
        + PipelineFile.word(failed.position())
        + (topic.group() == null
            ? ""
            : "\nThe other workers of the group stop there, too, once the partition is theirs: to let"
                + " all such events go to the refusals write \"failed: refuse\" in the pipeline");
  }
}
