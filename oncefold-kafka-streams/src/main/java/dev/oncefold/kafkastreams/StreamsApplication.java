package dev.oncefold.kafkastreams;

import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.jspecify.annotations.Nullable;

/**
 * A fold as a whole application of Kafka Streams: topics in, topics out.
 *
 * <pre>{@code
 * try (StreamsRun<Account> run =
 *     StreamsApplication.of("localhost:9092", "accounts", StreamsFold.of(accounts))
 *         .from(decoding, "payments")
 *         .output("receipts", "receipts", receipt -> bytes(receipt))
 *         .refusals("refused", refusal -> bytes(refusal))
 *         .start()) {
 *   run.await();
 * }
 * }</pre>
 *
 * <p>A message has the key of the event, the id in the header {@link StreamsFold#ID}, and the value
 * as the format makes it. A format that throws stops the application.
 *
 * <p>Input is read from its beginning where the application has never read it, and a position that
 * the topic no longer holds stops the application: nothing is skipped. Partitions that are added to
 * the input are read after all instances are started anew.
 *
 * <p>Immutable; each method answers a new value.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class StreamsApplication<S, E, O> {
  private static final int BATCH_SIZE = 256 * 1024;

  private final String bootstrap;
  private final String id;
  private final StreamsFold<S, E, O> fold;
  private final List<String> topics;
  private final @Nullable Reading<byte[], byte[], E> reading;
  private final Map<String, Message.To<Emitted<O>>> outputs;
  private final Message.@Nullable To<Entry<S, E, O>> refusals;
  private final Map<String, Object> settings;

  private StreamsApplication(
      String bootstrap,
      String id,
      StreamsFold<S, E, O> fold,
      List<String> topics,
      @Nullable Reading<byte[], byte[], E> reading,
      Map<String, Message.To<Emitted<O>>> outputs,
      Message.@Nullable To<Entry<S, E, O>> refusals,
      Map<String, Object> settings) {
    this.bootstrap = bootstrap;
    this.id = id;
    this.fold = fold;
    this.topics = topics;
    this.reading = reading;
    this.outputs = outputs;
    this.refusals = refusals;
    this.settings = settings;
  }

  /**
   * An application without topics yet.
   *
   * @param bootstrap where to find the cluster: {@code host:port}, several with commas
   * @param id the application's id, the same in all its instances and for ever: names of topics and
   *     the group are made of it
   * @param fold the fold
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the application
   */
  public static <S, E, O> StreamsApplication<S, E, O> of(
      String bootstrap, String id, StreamsFold<S, E, O> fold) {
    return new StreamsApplication<>(bootstrap, id, fold, List.of(), null, Map.of(), null, Map.of());
  }

  /**
   * Reads topics.
   *
   * @param newReading makes events of their records
   * @param names the topics, which exist
   * @return the application
   */
  public StreamsApplication<S, E, O> from(Reading<byte[], byte[], E> newReading, String... names) {
    return new StreamsApplication<>(
        bootstrap,
        id,
        fold.readingFrom(names),
        List.of(names),
        newReading,
        outputs,
        refusals,
        settings);
  }

  /**
   * Sends the outputs of one name to a topic.
   *
   * @param name the outputs' name
   * @param topic the topic, which exists
   * @param format makes the message's value
   * @return the application
   */
  public StreamsApplication<S, E, O> output(
      String name, String topic, Function<Emitted<O>, byte[]> format) {
    Map<String, Message.To<Emitted<O>>> all = new TreeMap<>(outputs);
    all.put(name, new Message.To<>(topic, format));
    return new StreamsApplication<>(bootstrap, id, fold, topics, reading, all, refusals, settings);
  }

  /**
   * Sends refusals to a topic. Without it they are counted only.
   *
   * @param topic the topic, which exists
   * @param format makes the message's value
   * @return the application
   */
  public StreamsApplication<S, E, O> refusals(
      String topic, Function<Entry<S, E, O>, byte[]> format) {
    return new StreamsApplication<>(
        bootstrap, id, fold, topics, reading, outputs, new Message.To<>(topic, format), settings);
  }

  /**
   * Sets settings of Kafka Streams.
   *
   * @param more as Kafka documents them
   * @return the application
   */
  public StreamsApplication<S, E, O> with(Map<String, ?> more) {
    Map<String, Object> all = new HashMap<>(settings);
    all.putAll(more);
    return new StreamsApplication<>(bootstrap, id, fold, topics, reading, outputs, refusals, all);
  }

  /**
   * Asks the cluster what of its settings, and of those of the application's topics, breaks or
   * weakens the promise: replicas that may be lost, unclean leader election, groups that read the
   * outputs and may be {@code read_uncommitted}. Topics need not be there.
   *
   * @param patience how long the cluster may take for an answer
   * @return sentences for a person, each with what to do; empty if nothing was found
   * @throws StreamsFoldException if the cluster cannot be asked
   */
  public List<String> warnings(Duration patience) {
    Map<String, Object> all = settings();
    StreamsConfig config = new StreamsConfig(all);
    Map<String, Object> client = config.getAdminConfigs(id + "-check");
    int millis = Math.toIntExact(patience.toMillis());
    client.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis);
    client.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis);
    // Each broker is tried once: more tries would be told as often, and change nothing.
    client.put(AdminClientConfig.RECONNECT_BACKOFF_MS_CONFIG, patience.toMillis());
    client.put(AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, patience.toMillis());
    Set<String> written = new TreeSet<>();
    outputs.values().forEach(out -> written.add(out.topic()));
    if (refusals != null) {
      written.add(refusals.topic());
    }
    List<String> own = fold.ownTopics(id);
    try (Admin admin = Admin.create(client)) {
      return Weaknesses.find(admin, topics, written, own, id)
          .told(own, config.getInt(StreamsConfig.REPLICATION_FACTOR_CONFIG));
    } catch (ExecutionException e) {
      throw new StreamsFoldException(
          "the cluster at "
              + bootstrap
              + " cannot be asked for its settings: "
              + (e.getCause() == null ? e : e.getCause().getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StreamsFoldException("interrupted while the cluster was asked for its settings");
    }
  }

  Map<String, Object> settings() {
    Map<String, Object> all = new HashMap<>();
    all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    // A commit sends many small records at once. In batches of 16 KiB, as is usual, the producer's
    // own thread took 40 % of what a stream thread took, and half of that in these.
    all.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), BATCH_SIZE);
    if (topics.size() == 1) {
      // Each task has one partition, and no other to wait for. Kafka Streams looks before each
      // record whether it has, which took a fifteenth of the stream thread.
      all.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, StreamsConfig.MAX_TASK_IDLE_MS_DISABLED);
    }
    // There is no global thread. Left off, Kafka warns of it each time.
    all.put("processing.exception.handler.global.enabled", true); // its constant is deprecated
    all.putAll(settings);
    all.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    all.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
    return all;
  }

  /**
   * Starts an instance. Where the cluster is there and does not say in time how far the application
   * has come, it is asked again, for as long as {@code task.timeout.ms}.
   *
   * @return the instance, which works until it is closed or stops
   * @throws StreamsFoldException if a setting cannot stand, or something is missing
   */
  public StreamsRun<S> start() {
    return start(streams -> {});
  }

  /**
   * Starts an instance that was prepared.
   *
   * @param prepared given the instance before it starts, for listeners and the like; the listener
   *     of its states and the handler of uncaught exceptions are taken
   * @return the instance, which works until it is closed or stops
   * @throws StreamsFoldException if a setting cannot stand, or something is missing
   */
  public StreamsRun<S> start(Consumer<KafkaStreams> prepared) {
    return start(null, prepared);
  }

  /** With clients that tests drive. */
  StreamsRun<S> start(KafkaClientSupplier clients) {
    return start(clients, streams -> {});
  }

  private StreamsRun<S> start(
      @Nullable KafkaClientSupplier clients, Consumer<KafkaStreams> prepared) {
    Map<String, Object> all = settings();
    Settings.check(all);
    StreamsConfig config = new StreamsConfig(all);
    Backlog backlog = fold.backlog();
    Topology topology = topology(backlog);
    position(config, clients);
    KafkaStreams streams =
        clients == null
            ? new KafkaStreams(topology, config)
            : new KafkaStreams(topology, config, clients);
    prepared.accept(streams);
    return new StreamsRun<>(streams, fold.store(), backlog);
  }

  Topology topology(Backlog backlog) {
    StreamsBuilder builder = new StreamsBuilder();
    Reading<byte[], byte[], E> decoding = reading;
    if (decoding == null || topics.isEmpty()) {
      throw new StreamsFoldException("the application \"" + id + "\" reads nothing: call from");
    }
    KStream<byte[], byte[]> input =
        builder.stream(
            topics,
            Consumed.with(
                Serdes.ByteArray(),
                Serdes.ByteArray(),
                // Records of old producers have no time of their own.
                (record, before) -> Math.max(0, record.timestamp()),
                AutoOffsetReset.none()));
    // Nothing stands before the fold in its sub-topology: states may be written early.
    fold.in(
            builder,
            input,
            decoding,
            new Message.Formats<>(outputs, refusals),
            backlog,
            fold.waiting())
        .to(
            (key, message, context) -> message.topic(),
            Produced.with(Serdes.String(), Message.serde()));
    return builder.build();
  }

  /** What was never read begins at its beginning, once: later a lost position is an error. */
  private void position(StreamsConfig config, @Nullable KafkaClientSupplier clients) {
    long began = System.nanoTime();
    long patience =
        TimeUnit.MILLISECONDS.toNanos(config.getLong(StreamsConfig.TASK_TIMEOUT_MS_CONFIG));
    Map<String, Object> client = config.getAdminConfigs(id + "-start");
    try (Admin admin = clients == null ? Admin.create(client) : clients.getAdmin(client)) {
      Set<TopicPartition> partitions = partitions(admin);
      for (; ; ) {
        try {
          position(admin, partitions);
          return;
        } catch (ExecutionException e) {
          // The cluster is there. A broker of it that stands still is asked until the client's
          // patience is over, even if another has taken its place.
          if (!(e.getCause() instanceof TimeoutException) || System.nanoTime() - began > patience) {
            throw e;
          }
        }
      }
    } catch (ExecutionException e) {
      throw new StreamsFoldException(
          "the input "
              + topics
              + " of the application \""
              + id
              + "\" cannot be begun: "
              + String.valueOf(e.getCause() == null ? e : e.getCause().getMessage())
                  .replaceFirst("\\.$", "")
              + ". "
              + advice(e.getCause()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StreamsFoldException("interrupted while the application \"" + id + "\" began");
    }
  }

  private String advice(@Nullable Throwable why) {
    if (why instanceof TimeoutException) {
      return "See to it that the brokers at " + bootstrap + " answer, and start again";
    } else if (why instanceof UnknownTopicOrPartitionException) {
      return "Make the topics of the input first";
    }
    return "If partitions were added, stop all instances and start them anew";
  }

  private Set<TopicPartition> partitions(Admin admin)
      throws ExecutionException, InterruptedException {
    Set<TopicPartition> partitions = new HashSet<>();
    admin
        .describeTopics(topics)
        .allTopicNames()
        .get()
        .forEach(
            (topic, found) ->
                found
                    .partitions()
                    .forEach(each -> partitions.add(new TopicPartition(topic, each.partition()))));
    return partitions;
  }

  private void position(Admin admin, Set<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> unread = new HashMap<>();
    partitions.forEach(each -> unread.put(each, OffsetSpec.earliest()));
    admin
        .listConsumerGroupOffsets(id)
        .partitionsToOffsetAndMetadata()
        .get()
        .forEach(
            (partition, found) -> {
              if (found != null) {
                unread.remove(partition);
              }
            });
    if (!unread.isEmpty()) {
      Map<TopicPartition, OffsetAndMetadata> begins = new HashMap<>();
      admin
          .listOffsets(unread)
          .all()
          .get()
          .forEach((each, found) -> begins.put(each, new OffsetAndMetadata(found.offset())));
      admin.alterConsumerGroupOffsets(id, begins).all().get();
    }
  }
}
