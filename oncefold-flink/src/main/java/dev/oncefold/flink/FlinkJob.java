package dev.oncefold.flink;

import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.function.SerializableFunction;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A fold as a whole job of Flink: topics in, topics out, exactly once.
 *
 * <pre>{@code
 * StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
 * FlinkJob.of("localhost:9092", "accounts", FlinkFold.of(Accounts::fold))
 *     .from(record -> event(record), "payments")
 *     .output("receipts", "receipts", receipt -> json(receipt.value()))
 *     .refusals("refused", refusal -> json(refusal))
 *     .in(environment);
 * environment.execute("accounts");
 * }</pre>
 *
 * <p>A message has the key of the event, the id in the header {@link #ID}, and the value as the
 * format makes it. A format that throws fails the job. Outputs and refusals of a checkpoint are in
 * one transaction of each subtask, which is committed once the checkpoint is complete; readers of
 * the topics read committed messages alone ({@code isolation.level=read_committed}).
 *
 * <p>Input is read from its beginning by a job that has never run under its name. A job that has is
 * started from its last checkpoint or savepoint; without one, or from an older one, it is refused.
 * A position that the topic no longer holds ends the job: nothing is skipped.
 *
 * <p>Settings under which outputs could be lost are refused where the job is built; where the
 * cluster throws away outputs all the same, the job fails with a {@link LostCommitException}.
 *
 * <p>Immutable; each method answers a new value.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class FlinkJob<S, E, O> {
  /** The header with the id of an output or a refusal. */
  public static final String ID = "oncefold-id";

  private static final Duration RESTARTS = Duration.ofMinutes(2);

  private final String bootstrap;
  private final String name;
  private final FlinkFold<S, E, O> fold;
  private List<String> topics = List.of();
  private @Nullable Reading<ConsumerRecord<byte[], byte[]>, E> reading;
  private Map<String, Message.To<Emitted<O>>> outputs = Map.of();
  private Message.@Nullable To<Entry<S, E, O>> refusals;
  private Map<String, String> clients = Map.of();
  private @Nullable Duration transactionTimeout;
  private Duration restarts = RESTARTS;
  private Cluster.Connecting connecting = KafkaCluster::new;
  private long pause = 1000;

  private FlinkJob(String bootstrap, String name, FlinkFold<S, E, O> fold) {
    this.bootstrap = bootstrap;
    this.name = name;
    this.fold = fold;
  }

  private FlinkJob(FlinkJob<S, E, O> from) {
    this(from.bootstrap, from.name, from.fold);
    this.topics = from.topics;
    this.reading = from.reading;
    this.outputs = from.outputs;
    this.refusals = from.refusals;
    this.clients = from.clients;
    this.transactionTimeout = from.transactionTimeout;
    this.restarts = from.restarts;
    this.connecting = from.connecting;
    this.pause = from.pause;
  }

  /**
   * A job without topics yet.
   *
   * @param bootstrap where to find the cluster: {@code host:port}, several with commas
   * @param name the job's name, of its own in the cluster and the same for ever: its group, its
   *     transactions and its operators are named by it
   * @param fold the fold
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the job
   */
  public static <S, E, O> FlinkJob<S, E, O> of(
      String bootstrap, String name, FlinkFold<S, E, O> fold) {
    return new FlinkJob<>(bootstrap, name, fold.storedAs(name));
  }

  /**
   * Reads topics.
   *
   * @param newReading makes events of their records
   * @param names the topics, which exist
   * @return the job
   */
  public FlinkJob<S, E, O> from(
      Reading<ConsumerRecord<byte[], byte[]>, E> newReading, String... names) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.reading = newReading;
    copy.topics = List.of(names);
    return copy;
  }

  /**
   * Sends the outputs of one name to a topic.
   *
   * @param output the outputs' name
   * @param topic the topic, which exists
   * @param format makes the message's value
   * @return the job
   */
  public FlinkJob<S, E, O> output(
      String output, String topic, SerializableFunction<Emitted<O>, byte[]> format) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.outputs = new TreeMap<>(outputs);
    copy.outputs.put(output, new Message.To<>(topic, format));
    return copy;
  }

  /**
   * Sends refusals to a topic. Without it they are counted only.
   *
   * @param topic the topic, which exists
   * @param format makes the message's value
   * @return the job
   */
  public FlinkJob<S, E, O> refusals(
      String topic, SerializableFunction<Entry<S, E, O>, byte[]> format) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.refusals = new Message.To<>(topic, format);
    return copy;
  }

  /**
   * Sets settings of Kafka's clients, such as those it takes to be let in.
   *
   * @param more as Kafka documents them
   * @return the job
   */
  public FlinkJob<S, E, O> with(Map<String, String> more) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.clients = new HashMap<>(clients);
    copy.clients.putAll(more);
    return copy;
  }

  /**
   * Sets how long outputs wait for their commit before the cluster throws them away; the longest
   * that the brokers allow ({@code transaction.max.timeout.ms}) unless set. It is also how long
   * readers of the outputs wait behind a job that is gone and does not come back.
   *
   * @param timeout the timeout
   * @return the job
   */
  public FlinkJob<S, E, O> transactionTimeout(Duration timeout) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.transactionTimeout = timeout;
    return copy;
  }

  /**
   * Sets how long it may take until a job that has failed works again, by itself or by hand; two
   * minutes unless set. Outputs whose commit was not yet asked for wait so long.
   *
   * @param allowance the time
   * @return the job
   */
  public FlinkJob<S, E, O> restartsWithin(Duration allowance) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.restarts = allowance;
    return copy;
  }

  /** Asks a cluster made by hand, at another pace. */
  FlinkJob<S, E, O> asking(Cluster.Connecting other, long millis) {
    FlinkJob<S, E, O> copy = new FlinkJob<>(this);
    copy.connecting = other;
    copy.pause = millis;
    return copy;
  }

  /**
   * Builds the job.
   *
   * @param environment where it will run, with checkpoints as they will be
   * @throws FlinkFoldException if a setting cannot stand, or something is missing
   */
  public void in(StreamExecutionEnvironment environment) {
    Reading<ConsumerRecord<byte[], byte[]>, E> decoding = reading;
    if (decoding == null || topics.isEmpty()) {
      throw new FlinkFoldException("the job \"" + name + "\" reads nothing: call from");
    }
    Settings.checkKept(environment);
    Settings.checkClients(clients);
    Properties settings = new Properties();
    settings.putAll(clients);
    settings.setProperty("bootstrap.servers", bootstrap);
    long longest = longest(settings);
    Duration timeout = transactionTimeout != null ? transactionTimeout : Duration.ofMillis(longest);
    Settings.checkTimeout(environment, timeout, restarts, longest);

    Properties reads = new Properties();
    reads.putAll(settings);
    reads.setProperty("group.id", name);
    reads.setProperty("isolation.level", "read_committed");
    FoldSource<E> source =
        new FoldSource<>(new Inlet<>(fold, reads, connecting, pause), topics, decoding);
    DataStream<Message> messages =
        fold.judging(
            environment
                .fromSource(
                    source, WatermarkStrategy.noWatermarks(), name + " input", fold.arrivedType())
                .uid(name + "-input"),
            new Message.Formats<>(outputs, refusals));
    Properties writes = new Properties();
    // Kafka's 16 KiB are for who sends a little now and then: here the producer's thread would work
    // twice as much for the same messages.
    writes.setProperty("batch.size", String.valueOf(256 << 10));
    writes.putAll(settings);
    KafkaSink<Message> sink =
        KafkaSink.<Message>builder()
            .setKafkaProducerConfig(writes)
            .setProperty("transaction.timeout.ms", String.valueOf(timeout.toMillis()))
            .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
            .setTransactionNamingStrategy(TransactionNamingStrategy.INCREMENTING)
            .setTransactionalIdPrefix(name)
            .setRecordSerializer(new Message.Sending())
            .build();
    messages
        .sinkTo(
            new FoldSink<>(
                sink, new Owner(settings, connecting, name, new Owner.Anchor(topics.get(0), 0))))
        .name(name + " outputs")
        .uid(name + "-outputs");
  }

  private long longest(Properties settings) {
    try (Cluster cluster = connecting.connect(settings)) {
      return cluster.longestTransaction();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FlinkFoldException("interrupted while the job \"" + name + "\" was built", e);
    } catch (Exception e) {
      throw new FlinkFoldException(
          "the cluster at "
              + bootstrap
              + " cannot be asked for the longest transaction that it allows"
              + " (transaction.max.timeout.ms): "
              + (e.getCause() == null ? e : e.getCause())
              + ". Whoever builds the job needs to reach it, and to be allowed to describe the"
              + " configuration of brokers",
          e);
    }
  }
}
