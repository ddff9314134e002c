package dev.oncefold.kafkastreams;

import dev.oncefold.Fold;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Repartitioned;

/**
 * A fold on Kafka Streams: state, ids, counts, outputs, refusals and position are in one
 * transaction of Kafka's.
 *
 * <pre>{@code
 * StreamsBuilder builder = new StreamsBuilder();
 * FoldStreams<Account, Payment, Receipt> folded =
 *     StreamsFold.of(accounts)
 *         .readingFrom("payments")
 *         .in(builder, builder.stream("payments", Consumed.with(bytes, bytes)), decoding);
 * folded.outputs("receipts").to("receipts", Produced.with(Serdes.String(), receipts));
 * folded.refusals().to("refused", Produced.with(Serdes.String(), refusals));
 * new KafkaStreams(builder.build(), settings).start(); // processing.guarantee=exactly_once_v2
 * }</pre>
 *
 * <p>Or as a whole application: {@link StreamsApplication}.
 *
 * <p>Events come to the task of their key through a repartition topic, unless the input {@link
 * #partitionedByKey is partitioned by it}. Each task has a floor of its own. State lives in memory
 * as objects, and is written to a changelog topic once per key and commit; a task that begins reads
 * the whole changelog, or takes over a standby.
 *
 * <p>An application is refused when a task begins (and the stream thread stops) where {@code
 * processing.guarantee} is not {@code exactly_once_v2}, or the changelog is that of another version
 * of the fold.
 *
 * <p>Immutable; each method answers a new value.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class StreamsFold<S, E, O> {
  /** The header with the id of an output or a refusal. */
  public static final String ID = "oncefold-id";

  private static final Pattern STORE = Pattern.compile("[a-zA-Z0-9._-]{1,150}");

  private final Fold<S, E, O> fold;
  private String store;
  private List<String> topics = List.of();
  private boolean repartitions = true;
  private int partitions;
  private boolean accepting;
  private Set<String> refusing = Set.of();
  private Map<String, String> changelog = Map.of();
  private int waiting = 500;
  private Function<Map<String, Object>, Cluster> connecting = AdminCluster::new;

  private StreamsFold(Fold<S, E, O> fold) {
    this.fold = fold;
    this.store = fold.name();
  }

  private StreamsFold(StreamsFold<S, E, O> from) {
    this.fold = from.fold;
    this.store = from.store;
    this.topics = from.topics;
    this.repartitions = from.repartitions;
    this.partitions = from.partitions;
    this.accepting = from.accepting;
    this.refusing = from.refusing;
    this.changelog = from.changelog;
    this.waiting = from.waiting;
    this.connecting = from.connecting;
  }

  /**
   * A fold on Kafka Streams, stored under its own name.
   *
   * @param fold the fold, of one key
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the fold
   * @throws UnsupportedOperationException if the fold is one over several keys
   */
  public static <S, E, O> StreamsFold<S, E, O> of(Fold<S, E, O> fold) {
    if (fold.hasSeveralKeys()) {
      throw new UnsupportedOperationException(
          "the fold \""
              + fold.name()
              + "\" changes several keys at once, which may belong to different tasks of Kafka"
              + " Streams. The embedded journal and PostgreSQL apply it");
    }
    return new StreamsFold<>(fold);
  }

  /**
   * Names the store, the changelog ({@code APPLICATION-NAME-changelog}) and the repartition topic
   * ({@code APPLICATION-NAME-repartition}); the fold's name unless set. Never change it.
   *
   * @param name letters, digits, dot, underscore and minus
   * @return the fold
   */
  public StreamsFold<S, E, O> storedAs(String name) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.store = name;
    return copy;
  }

  /**
   * Says that the input is these topics read straight: their records in their order, each at most
   * once, perhaps less some and perhaps each made into several. Then positions are stored beside
   * the state, so that what was applied is not applied again even where the application's offsets
   * are lost or set back; and the floor waits for partitions with unread records. A fold that
   * remembers ids for a span needs it.
   *
   * @param names the topics
   * @return the fold
   */
  public StreamsFold<S, E, O> readingFrom(String... names) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.topics = List.of(names);
    return copy;
  }

  /**
   * Says that all events of a key stand in one partition of the input, and always will, and that
   * every topic of the input has as many partitions: then nothing is repartitioned. If that is not
   * so a key gets several states, and nobody notices.
   *
   * @return the fold
   */
  public StreamsFold<S, E, O> partitionedByKey() {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.repartitions = false;
    copy.partitions = 0;
    return copy;
  }

  /**
   * Sets the number of partitions of the repartition topic, and with it of the tasks; as many as
   * the input has unless set. It cannot change later.
   *
   * @param count the number
   * @return the fold
   */
  public StreamsFold<S, E, O> repartitionedInto(int count) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.repartitions = true;
    copy.partitions = count;
    return copy;
  }

  /**
   * Goes on where another version of the fold left off: what was judged stays so, and new events
   * come under the new rules. Without it, such a start is refused.
   *
   * @return the fold
   */
  public StreamsFold<S, E, O> acceptingChange() {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.accepting = true;
    return copy;
  }

  /**
   * Sends the Failed events at some positions to the refusals, also where the fold stops for Failed
   * events.
   *
   * @param positions what {@link dev.oncefold.FailedEventException#position} told
   * @return the fold
   */
  public StreamsFold<S, E, O> refusing(Collection<String> positions) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.refusing = Set.copyOf(positions);
    return copy;
  }

  /**
   * Sets settings of the changelog topic, where Kafka Streams makes it.
   *
   * @param settings as Kafka documents them for topics
   * @return the fold
   */
  public StreamsFold<S, E, O> changelog(Map<String, String> settings) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.changelog = Map.copyOf(settings);
    return copy;
  }

  /** Has changed states written before the commit where more than so many wait for it. */
  StreamsFold<S, E, O> keepingWaiting(int most) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.waiting = most;
    return copy;
  }

  int waiting() {
    return waiting;
  }

  /** Asks a cluster made by hand. */
  StreamsFold<S, E, O> asking(Function<Map<String, Object>, Cluster> other) {
    StreamsFold<S, E, O> copy = new StreamsFold<>(this);
    copy.connecting = other;
    return copy;
  }

  Fold<S, E, O> fold() {
    return fold;
  }

  String store() {
    return store;
  }

  /** The topics that Kafka Streams makes for the fold. */
  List<String> ownTopics(String application) {
    String changelog = application + "-" + store + "-changelog";
    return repartitions
        ? List.of(changelog, application + "-" + store + "-repartition")
        : List.of(changelog);
  }

  /**
   * Puts the fold into a topology.
   *
   * @param builder the topology's builder
   * @param input the input
   * @param reading makes events of its records
   * @param <K> the type of the input's keys
   * @param <V> the type of the input's values
   * @return outputs and refusals; ask for each that the fold emits
   * @throws StreamsFoldException if the fold cannot be run so
   */
  public <K, V> FoldStreams<S, E, O> in(
      StreamsBuilder builder, KStream<K, V> input, Reading<K, V, E> reading) {
    Sent.Asked<S, E, O> asked = new Sent.Asked<>();
    // Processors of the user's may stand before the fold in its sub-topology, and have Kafka
    // Streams
    // commit what this task has sent without asking it to flush: no state must be among that.
    return new FoldStreams<>(
        asked, in(builder, input, reading, asked, backlog(), Integer.MAX_VALUE));
  }

  Backlog backlog() {
    return new Backlog(topics, repartitions ? store + "-repartition" : null, connecting);
  }

  /**
   * Puts the fold into a topology.
   *
   * @param most how many changed states may wait for the commit to be prepared
   */
  <K, V, M> KStream<String, M> in(
      StreamsBuilder builder,
      KStream<K, V> input,
      Reading<K, V, E> reading,
      Outlet<S, E, O, M> outlet,
      Backlog backlog,
      int most) {
    if (!STORE.matcher(store).matches()) {
      throw new StreamsFoldException(
          "\""
              + store
              + "\" cannot be part of a topic's name: give letters, digits, '.', '_' and '-' by"
              + " storedAs");
    }
    if (fold.ids().kind() == Fold.Ids.Kind.SPAN && topics.isEmpty()) {
      throw new StreamsFoldException(
          "the fold \""
              + fold.name()
              + "\" remembers ids for a span of time, and forgets none before all of the input has"
              + " passed it: name the topics of the input by readingFrom");
    }
    Plan<S, E, O> plan =
        new Plan<>(
            fold,
            store,
            topics,
            repartitions,
            partitions,
            accepting,
            refusing,
            changelog,
            Clock.systemUTC(),
            backlog,
            new Shared(),
            most);
    builder.addStateStore(new FoldStore.Builder<>(plan));
    Named judging = Named.as(store + "-judging");
    return repartitions
        ? routed(input, plan, reading).process(() -> new Judging<>(plan, outlet), judging, store)
        : input.process(
            () -> new Straight<>(new Arrivals<>(plan, reading), new Judging<>(plan, outlet)),
            judging,
            store);
  }

  /** Every event comes to the task of its key. */
  private <K, V> KStream<String, Arrived<E>> routed(
      KStream<K, V> input, Plan<S, E, O> plan, Reading<K, V, E> reading) {
    Repartitioned<String, Arrived<E>> through =
        Repartitioned.with(Serdes.String(), new ArrivedSerde<>(fold)).withName(store);
    if (fold.whenFailed() == Fold.WhenFailed.STOP) {
      // What is no event stops all tasks: all of them have applied what stands before it.
      through =
          through.withStreamPartitioner(
              (topic, key, arrived, count) ->
                  arrived.everywhere()
                      ? Optional.of(IntStream.range(0, count).boxed().collect(Collectors.toSet()))
                      : Optional.empty());
    }
    return input
        .process(() -> new Routing<>(plan, reading), Named.as(store + "-routing"))
        .repartition(partitions == 0 ? through : through.withNumberOfPartitions(partitions));
  }
}
