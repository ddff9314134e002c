package dev.oncefold.kafka;

import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Source;
import dev.oncefold.SourceException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * The records of a Kafka topic, as far as they are committed.
 *
 * <pre>{@code
 * KafkaSource.of("localhost:9092", "payments", decoding)
 *     .group("accounts")
 *     .startingAt(KafkaSource.Start.BEGINNING)
 *     .with("security.protocol", "SSL")
 *     .with("ssl.key.password", "${env:KEY_PASSWORD}");
 * }</pre>
 *
 * <p>With a group its members share out the partitions, by any protocol of Kafka's; without one
 * this source reads all of them. Offsets in Kafka are written for monitors of lag alone, and never
 * read: where to go on is what the store says.
 *
 * <p>A position is an offset and the topic's id, so that a topic which was deleted and made anew
 * stops the run. So does a topic whose retention has deleted what was not applied, and one that
 * ends before what was applied. All of that is looked at before the first event of a partition is
 * answered, and while it is read.
 *
 * <p>While the cluster is away nothing is answered, and it goes on when the cluster is back. The
 * cluster is first spoken to when {@link #partitions} or {@link #assigned} is first asked.
 *
 * @param <E> the type of the events' values
 */
public final class KafkaSource<E> implements Source<E> {
  private final Plan<E> plan;
  private volatile @Nullable TopicReader<E> reader;

  /** Where a partition is begun of which the store has never applied anything. */
  public enum Start {
    /** At the oldest record that there is. */
    BEGINNING,
    /** Behind the newest record there is when a source first reads the partition. */
    END
  }

  /**
   * Makes an event of a record.
   *
   * @param <E> the type of the events' values
   */
  @FunctionalInterface
  public interface Decoding<E> {
    /**
     * Makes an event of a record. A tombstone comes here, too: its value is null.
     *
     * @param record the record, with headers, key and value
     * @return the event; null where the record is none
     * @throws Exception any exception makes the record a Failed event; but one that has a {@link
     *     org.apache.kafka.common.errors.RetriableException} as a cause, or is one, says that
     *     something is away (a registry of schemas, say), and the record is tried again
     */
    @Nullable Event<E> decode(ConsumerRecord<byte[], byte[]> record) throws Exception;
  }

  /** What the user wants. */
  record Plan<E>(
      String bootstrap,
      String topic,
      Decoding<E> decoding,
      String name,
      @Nullable String group,
      Start start,
      Map<String, String> properties) {
    /** Without the properties: there may be secrets among them. */
    @Override
    public String toString() {
      return "the topic " + topic + " at " + bootstrap;
    }
  }

  private KafkaSource(Plan<E> plan) {
    this.plan = plan;
  }

  /**
   * A topic, read from its beginning and by this source alone.
   *
   * @param bootstrap where to find the cluster: {@code host:port}, several with commas
   * @param topic the topic's name
   * @param decoding makes an event of a record
   * @param <E> the type of the events' values
   * @return the source; its partitions are named after the topic: {@code topic-0} and so on
   */
  public static <E> KafkaSource<E> of(String bootstrap, String topic, Decoding<E> decoding) {
    return new KafkaSource<>(
        new Plan<>(bootstrap, topic, decoding, topic, null, Start.BEGINNING, Map.of()));
  }

  /**
   * The same source as a member of a group, which shares out the partitions. The protocol is by the
   * property {@code group.protocol}: {@code classic}, with cooperative rebalances unless {@code
   * partition.assignment.strategy} says otherwise, or {@code consumer}.
   *
   * @param group the group's id
   * @return a new source
   */
  public KafkaSource<E> group(String group) {
    return new KafkaSource<>(
        new Plan<>(
            plan.bootstrap,
            plan.topic,
            plan.decoding,
            plan.name,
            group,
            plan.start,
            plan.properties));
  }

  /**
   * The same source with another start. It counts for partitions of which the store has never
   * applied anything: also for those that are added to the topic later, so that {@link Start#END}
   * misses what is written to such a one before it is first read.
   *
   * @param start the start
   * @return a new source
   */
  public KafkaSource<E> startingAt(Start start) {
    return new KafkaSource<>(
        new Plan<>(
            plan.bootstrap,
            plan.topic,
            plan.decoding,
            plan.name,
            plan.group,
            start,
            plan.properties));
  }

  /**
   * The same source with partitions named {@code name-0} and so on. The names identify the input in
   * the store; two topics of one name, in two clusters, need names of their own.
   *
   * @param name the name
   * @return a new source
   */
  public KafkaSource<E> named(String name) {
    return new KafkaSource<>(
        new Plan<>(
            plan.bootstrap,
            plan.topic,
            plan.decoding,
            name,
            plan.group,
            plan.start,
            plan.properties));
  }

  /**
   * The same source with a property of Kafka's clients. In the value {@code ${env:NAME}} stands for
   * an environment variable, {@code ${file:/path}} for the content of a file, and {@code
   * ${file:/path:name}} for a property in a file. Settings on which exactly-once rests cannot be
   * set otherwise: {@code enable.auto.commit}, {@code auto.offset.reset}, {@code isolation.level}.
   *
   * @param property its name, as Kafka documents it
   * @param value its value
   * @return a new source
   */
  public KafkaSource<E> with(String property, String value) {
    return with(Map.of(property, value));
  }

  /**
   * The same source with properties of Kafka's clients.
   *
   * @param properties as {@link #with(String, String)} takes them
   * @return a new source
   */
  public KafkaSource<E> with(Map<String, String> properties) {
    Map<String, String> all = new HashMap<>(plan.properties);
    all.putAll(properties);
    return new KafkaSource<>(
        new Plan<>(
            plan.bootstrap,
            plan.topic,
            plan.decoding,
            plan.name,
            plan.group,
            plan.start,
            Map.copyOf(all)));
  }

  /**
   * All partitions of the topic.
   *
   * @return their names
   * @throws SourceException if there is no such topic, the cluster does not answer, or a property
   *     cannot stand
   */
  @Override
  public List<String> partitions() {
    return reader().partitions();
  }

  @Override
  public List<String> assigned() {
    return reader().assigned();
  }

  /**
   * Goes to where the store has applied a partition. Whether the topic still holds what stands from
   * there is found out by the next {@link #poll}, which waits for the cluster and throws.
   *
   * @param partition one that is assigned
   * @param position the position
   */
  @Override
  public void seek(String partition, Position position) {
    reader().seek(partition, position);
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    return reader().poll(max, wait);
  }

  @Override
  public boolean mayHaveMore(String partition, boolean idle) {
    return reader().mayHaveMore(partition);
  }

  /**
   * Leaves the group and joins it again, so that the group shares out anew.
   *
   * @param partition the partition's name
   * @return false without a group
   */
  @Override
  public boolean giveUp(String partition) {
    return reader().giveUp();
  }

  /**
   * Never: a topic has no end.
   *
   * @return false
   */
  @Override
  public boolean ended() {
    return false;
  }

  /**
   * How many records the partitions read now have that no poll has answered yet, by what the last
   * fetch has brought along: nothing is asked for it. To be asked from any thread.
   *
   * @return the count; empty where it is not known yet. Marks of transactions count as records
   */
  public OptionalLong behind() {
    TopicReader<E> open = reader;
    return open == null ? OptionalLong.empty() : open.behind();
  }

  /** Notes the position for monitors of lag; it is written to the group now and then. */
  @Override
  public void acknowledge(String partition, Position position) {
    TopicReader<E> open = reader;
    if (open != null) {
      open.acknowledge(partition, position);
    }
  }

  /** Leaves the group. */
  @Override
  public void close() {
    TopicReader<E> open = reader;
    reader = null;
    if (open != null) {
      open.close();
    }
  }

  private TopicReader<E> reader() {
    TopicReader<E> open = reader;
    if (open == null) {
      open = TopicReader.open(plan);
      reader = open;
    }
    return open;
  }

  /** The topic and where it is. */
  @Override
  public String toString() {
    return plan.toString();
  }
}
