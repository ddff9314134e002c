package dev.oncefold.kafka;

import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.SourceException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/** A {@link KafkaSource} that is open. Used by one thread, but for {@link #acknowledge}. */
final class TopicReader<E> implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long MOVE_EVERY = TimeUnit.SECONDS.toNanos(1);
  private static final long LOOK_EVERY = TimeUnit.SECONDS.toNanos(5);
  private static final long UNKNOWN = -1;
  private static final long PUBLISH_EVERY = TimeUnit.SECONDS.toNanos(5);

  private final KafkaSource.Plan<E> plan;
  private final Settings settings;
  private final Topic topic;
  private final Consumer<byte[], byte[]> consumer;
  private final Assignment assignment;
  private final Deque<Fetched> fetched = new ArrayDeque<>();
  private final Map<String, Position> acknowledged = new ConcurrentHashMap<>();
  private List<String> partitions = List.of();
  private volatile long behind = UNKNOWN;
  private long fetchedAt;
  private long publishedAt = System.nanoTime();

  /** What one fetch has brought of one partition. */
  private static final class Fetched {
    final Assignment.Progress progress;
    final List<ConsumerRecord<byte[], byte[]>> records;
    final long next;
    int at;

    Fetched(Assignment.Progress progress, List<ConsumerRecord<byte[], byte[]>> records, long next) {
      this.progress = progress;
      this.records = records;
      this.next = next;
    }
  }

  TopicReader(
      KafkaSource.Plan<E> plan, Settings settings, Topic topic, Consumer<byte[], byte[]> consumer) {
    this.plan = plan;
    this.settings = settings;
    this.topic = topic;
    this.consumer = consumer;
    this.assignment = new Assignment(consumer, plan.name());
    if (plan.group() != null) {
      join();
    }
    grow();
  }

  private void join() {
    consumer.subscribe(List.of(plan.topic()), assignment);
  }

  static <E> TopicReader<E> open(KafkaSource.Plan<E> plan) {
    Settings settings = SourceClients.settings(plan);
    Topic topic = null;
    Consumer<byte[], byte[]> consumer = null;
    try {
      topic = new Topic(Clients.admin(settings), plan.topic());
      consumer = SourceClients.consumer(settings); // what is wrong in its settings comes up first
      topic.open();
      return new TopicReader<>(plan, settings, topic, consumer);
    } catch (InterruptedException e) {
      close(topic, consumer);
      Thread.currentThread().interrupt();
      throw new SourceException("interrupted while " + plan + " was opened", e);
    } catch (ExecutionException e) {
      close(topic, consumer);
      throw SourceClients.failed(plan, settings, e.getCause() == null ? e : e.getCause());
    } catch (RuntimeException e) {
      close(topic, consumer);
      throw SourceClients.failed(plan, settings, e);
    }
  }

  private static void close(@Nullable Topic topic, @Nullable Consumer<?, ?> consumer) {
    if (topic != null) {
      topic.close();
    }
    if (consumer != null) {
      consumer.close(CloseOptions.timeout(Duration.ZERO));
    }
  }

  /** Takes note of partitions that were added to the topic. */
  private void grow() {
    int count = topic.partitions();
    for (Assignment.Progress progress : assignment.all()) {
      count = Math.max(count, progress.partition.partition() + 1);
    }
    if (count <= partitions.size()) {
      return;
    }
    if (plan.group() == null) {
      List<TopicPartition> all = new ArrayList<>();
      for (int number = 0; number < count; number++) {
        all.add(new TopicPartition(plan.topic(), number));
      }
      consumer.assign(all);
      assignment.onPartitionsAssigned(all.subList(partitions.size(), count));
    }
    List<String> names = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      names.add(assignment.name(number));
    }
    partitions = List.copyOf(names);
  }

  List<String> partitions() {
    return partitions;
  }

  List<String> assigned() {
    return assignment.tell();
  }

  void seek(String partition, Position position) {
    Assignment.Progress progress = assignment.named(partition);
    if (progress == null) {
      return; // taken away meanwhile: the next answer of assigned() says so
    }
    fetched.removeIf(each -> each.progress == progress);
    if (progress.reading) {
      progress.reading = false;
      consumer.pause(List.of(progress.partition));
    }
    progress.sought = position;
    progress.answered = position;
  }

  boolean giveUp() {
    if (plan.group() == null) {
      return false;
    }
    assignment.dropAll();
    consumer.unsubscribe();
    join();
    return true;
  }

  void acknowledge(String partition, Position position) {
    acknowledged.put(partition, position);
  }

  boolean mayHaveMore(String partition) {
    Assignment.Progress progress = assignment.named(partition);
    return progress == null
        || !progress.reading
        || fetched.stream().anyMatch(each -> each.progress == progress)
        || unread(progress);
  }

  /** How many records are there that were not answered, by what the last fetch knew; any thread. */
  OptionalLong behind() {
    long known = behind;
    return known == UNKNOWN ? OptionalLong.empty() : OptionalLong.of(known);
  }

  private long countBehind() {
    long count = 0;
    for (Assignment.Progress progress : assignment.all()) {
      OptionalLong lag =
          progress.reading ? consumer.currentLag(progress.partition) : OptionalLong.empty();
      if (lag.isEmpty()) {
        return UNKNOWN;
      }
      count += lag.getAsLong();
    }
    for (Fetched each : fetched) {
      count += each.progress.gone ? 0 : each.records.size() - each.at;
    }
    return count;
  }

  private boolean unread(Assignment.Progress progress) {
    OptionalLong lag = consumer.currentLag(progress.partition);
    return lag.isEmpty() || lag.getAsLong() > 0;
  }

  @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    try {
      publish(false);
      if (fetched.isEmpty()) {
        begin();
        Polled<E> owed = owed();
        if (owed != null) {
          return owed;
        }
        fetch(wait);
      }
      topic.seenSince(System.nanoTime() - LOOK_EVERY, Duration.ZERO);
      grow();
      Polled<E> polled = next(max);
      behind = countBehind();
      return polled == null && fetched.isEmpty() ? moved() : polled;
    } catch (InterruptException e) {
      Thread.interrupted();
      InterruptedException interrupted = new InterruptedException(e.getMessage());
      interrupted.initCause(e);
      throw interrupted;
    } catch (RetriableException e) {
      TimeUnit.NANOSECONDS.sleep(wait.toNanos()); // the cluster is away, and comes back
      return null;
    } catch (OffsetOutOfRangeException e) {
      throw outOfRange(e);
    } catch (KafkaException e) {
      throw SourceClients.failed(plan, settings, e);
    }
  }

  /** Begins to read where the store has said how far a partition is applied. */
  private void begin() throws InterruptedException {
    List<Assignment.Progress> pending = new ArrayList<>();
    List<TopicPartition> numbers = new ArrayList<>();
    for (Assignment.Progress progress : assignment.all()) {
      if (progress.sought != null) {
        pending.add(progress);
        numbers.add(progress.partition);
      }
    }
    if (pending.isEmpty() || !topic.seenSince(System.nanoTime(), PATIENCE)) {
      return;
    }
    Map<TopicPartition, Long> first;
    Map<TopicPartition, Long> end;
    try {
      first = consumer.beginningOffsets(numbers, PATIENCE);
      end = consumer.endOffsets(numbers, PATIENCE);
    } catch (RetriableException e) {
      return; // once more with the next poll
    }
    for (Assignment.Progress progress : pending) {
      begin(progress, first.get(progress.partition), end.get(progress.partition));
    }
    consumer.resume(numbers);
  }

  private void begin(Assignment.Progress progress, @Nullable Long first, @Nullable Long end) {
    Position sought = progress.sought;
    if (sought == null || first == null || end == null) {
      throw new IllegalStateException("the consumer answers no offsets of " + progress.partition);
    }
    if (sought.equals(Position.START)) {
      boolean atEnd = plan.start() == KafkaSource.Start.END;
      progress.next = atEnd ? end : first;
      // Or else a restart before the first event would begin at another end.
      progress.owed = atEnd;
    } else {
      if (sought.check() != topic.check()) {
        throw new SourceException(
            told(progress)
                + " is applied up to offset "
                + sought.offset()
                + " of another topic: the topic was deleted and made anew since, or this is another"
                + " cluster. To read it from its start, give the source another name"
                + " (KafkaSource.named), or a store of its own");
      }
      if (sought.offset() < first) {
        throw passed(progress, sought.offset(), first);
      }
      if (sought.offset() > end) {
        throw beyond(progress, sought.offset(), end);
      }
      progress.next = sought.offset();
    }
    consumer.seek(progress.partition, progress.next);
    progress.sought = null;
    progress.reading = true;
  }

  private void fetch(Duration wait) {
    ConsumerRecords<byte[], byte[]> records = read(wait);
    fetchedAt = System.nanoTime();
    for (Map.Entry<TopicPartition, OffsetAndMetadata> entry : records.nextOffsets().entrySet()) {
      Assignment.Progress progress = assignment.at(entry.getKey());
      if (progress != null && progress.reading) {
        progress.next = entry.getValue().offset();
        List<ConsumerRecord<byte[], byte[]>> of = records.records(entry.getKey());
        if (!of.isEmpty()) {
          fetched.add(new Fetched(progress, of, progress.next));
        }
      }
    }
  }

  /**
   * Polls, and joins again where nothing is subscribed to any more. By the protocol {@code
   * consumer} a group is left by a thread of Kafka's own, and {@code unsubscribe} does not wait for
   * it for ever: a leaving that ends late takes the subscription that came after it.
   */
  private ConsumerRecords<byte[], byte[]> read(Duration wait) {
    try {
      return consumer.poll(wait);
    } catch (IllegalStateException e) {
      if (plan.group() == null || !consumer.subscription().isEmpty()) {
        throw e;
      }
      assignment.dropAll();
      join();
      return ConsumerRecords.empty();
    }
  }

  /** The next events of what was fetched, once it is known that they are the same topic's. */
  private @Nullable Polled<E> next(int max) throws InterruptedException {
    while (true) {
      Fetched head = fetched.peek();
      if (head == null) {
        return null;
      }
      if (head.progress.gone) {
        fetched.remove();
        continue;
      }
      if (!topic.seenSince(fetchedAt, PATIENCE)) {
        return null;
      }
      List<Received<E>> events = decoded(head, max);
      boolean last = head.at == head.records.size();
      if (last) {
        fetched.remove();
      }
      if (!events.isEmpty()) {
        long to = last ? head.next : head.records.get(head.at - 1).offset() + 1;
        return answer(head.progress, events, to, !last || unread(head.progress));
      }
    }
  }

  /** Where a partition is begun at its end: before anything of it is read, or a restart skips. */
  private @Nullable Polled<E> owed() {
    for (Assignment.Progress progress : assignment.all()) {
      if (progress.reading && progress.owed) {
        progress.owed = false;
        progress.movedAt = System.nanoTime();
        return answer(progress, List.of(), progress.next, unread(progress));
      }
    }
    return null;
  }

  /** Only the position of a partition: where what was read is no event, and now and then. */
  private @Nullable Polled<E> moved() {
    long now = System.nanoTime();
    for (Assignment.Progress progress : assignment.all()) {
      if (progress.reading
          && progress.next > progress.answered.offset()
          && now - progress.movedAt > MOVE_EVERY) {
        progress.movedAt = now;
        return answer(progress, List.of(), progress.next, unread(progress));
      }
    }
    return null;
  }

  private Polled<E> answer(
      Assignment.Progress progress, List<Received<E>> events, long to, boolean unread) {
    Position from = progress.answered;
    progress.answered = new Position(to, topic.check());
    return new Polled<>(progress.name, from, events, progress.answered, unread);
  }

  private List<Received<E>> decoded(Fetched head, int max) {
    int left = head.records.size() - head.at;
    List<Received<E>> events = new ArrayList<>(Math.min(max, left));
    while (head.at < head.records.size() && events.size() < max) {
      Received<E> received;
      try {
        received = decoded(head.records.get(head.at));
      } catch (RetriableException e) {
        if (events.isEmpty()) {
          throw e;
        }
        break;
      }
      head.at++;
      if (received != null) {
        events.add(received);
      }
    }
    return events;
  }

  private @Nullable Received<E> decoded(ConsumerRecord<byte[], byte[]> record) {
    Position next = new Position(record.offset() + 1, topic.check());
    Event<E> event;
    try {
      event = plan.decoding().decode(record);
    } catch (Exception e) {
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof RetriableException away) {
          throw away; // what it needs is away, and the record may be an event all the same
        }
      }
      byte @Nullable [] value = record.value();
      return Received.undecodable(
          record.offset(),
          next,
          (e.getMessage() == null ? e.toString() : e.getMessage())
              + (value == null ? " (the record is a tombstone: it has no value)" : ""),
          value == null ? new byte[0] : value);
    }
    return event == null ? null : Received.of(record.offset(), next, event);
  }

  /** Writes to the group how far the store is: what monitors of lag look at, and nobody else. */
  private void publish(boolean now) {
    if (plan.group() == null
        || acknowledged.isEmpty()
        || (!now && System.nanoTime() - publishedAt < PUBLISH_EVERY)) {
      return;
    }
    publishedAt = System.nanoTime();
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
    for (Assignment.Progress progress : assignment.all()) {
      Position position = acknowledged.remove(progress.name);
      if (position != null) {
        offsets.put(progress.partition, new OffsetAndMetadata(position.offset()));
      }
    }
    acknowledged.clear();
    if (!offsets.isEmpty()) {
      consumer.commitAsync(offsets, (committed, e) -> {});
    }
  }

  private SourceException outOfRange(OffsetOutOfRangeException e) {
    Map<TopicPartition, Long> offsets = e.offsetOutOfRangePartitions();
    Collection<TopicPartition> partitions = offsets.keySet();
    try {
      Map<TopicPartition, Long> first = consumer.beginningOffsets(partitions, PATIENCE);
      Map<TopicPartition, Long> end = consumer.endOffsets(partitions, PATIENCE);
      for (Map.Entry<TopicPartition, Long> entry : offsets.entrySet()) {
        Assignment.Progress progress = assignment.at(entry.getKey());
        Long from = first.get(entry.getKey());
        Long to = end.get(entry.getKey());
        if (progress != null && from != null && entry.getValue() < from) {
          return passed(progress, entry.getValue(), from);
        } else if (progress != null && to != null && entry.getValue() > to) {
          return beyond(progress, entry.getValue(), to);
        }
      }
    } catch (KafkaException unknown) {
      e.addSuppressed(unknown);
    }
    return new SourceException(
        plan + " does not hold any more what is to be read next: " + settings.told(e), e);
  }

  private SourceException passed(Assignment.Progress progress, long offset, long first) {
    return new SourceException(
        told(progress)
            + " is applied up to offset "
            + offset
            + ", but begins at "
            + first
            + " now: the topic's retention has deleted up to "
            + (first - offset)
            + " events that were never applied, and they are not skipped. Keep events for longer"
            + " than a run may stand still (retention.ms, retention.bytes). To go on from what is"
            + " left, give the source another name (KafkaSource.named), or a store of its own");
  }

  private SourceException beyond(Assignment.Progress progress, long offset, long end) {
    return new SourceException(
        told(progress)
            + " is applied up to offset "
            + offset
            + ", but ends at "
            + end
            + ": the brokers have lost events that were applied. What is written now would be taken"
            + " for them. Restore the topic, or give the source another name (KafkaSource.named)");
  }

  private String told(Assignment.Progress progress) {
    return "the partition \"" + progress.name + "\" of " + plan;
  }

  @Override
  public void close() {
    topic.close();
    try {
      publish(true);
      consumer.close(CloseOptions.timeout(PATIENCE));
    } catch (InterruptException e) {
      Thread.currentThread().interrupt(); // it is closed all the same
    } catch (KafkaException e) {
      throw SourceClients.failed(plan, settings, e);
    }
  }
}
