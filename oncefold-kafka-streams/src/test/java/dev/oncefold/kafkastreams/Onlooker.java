package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Snapshots;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Writes down what an application went through, by its changelog as far as it is committed, and not
 * by what it says of itself; and what came of it, by its topics.
 */
final class Onlooker implements AutoCloseable {
  private static final String READER = "reader";

  private final Changelog<Trace> changelog;
  private final MoveFeed feed;
  private final Consumer<Observation> history;
  private final Snapshots<Trace> snapshots;
  private final Map<String, Long> positions = new TreeMap<>();
  private int commits;

  Onlooker(Changelog<Trace> changelog, MoveFeed feed, Consumer<Observation> history) {
    this.changelog = changelog;
    this.feed = feed;
    this.history = history;
    this.snapshots = new Snapshots<>(Trace::text, history);
    for (int i = 0; i < CrashRig.PARTITIONS; i++) {
      positions.put(CrashWorker.INPUT + "-" + i, 0L);
    }
  }

  /** The fold as the changelog knows it. */
  static dev.oncefold.Fold<Trace, Move, String> fold(boolean remembering) {
    return remembering ? Moves.remembering() : Moves.withoutIds();
  }

  /** Tells everything since the last look; answers how many events are applied. */
  long look() throws InterruptedException {
    int before = commits;
    changelog.readOn(this::flushed);
    if (commits > before) {
      Map<String, Slot<Trace>> slots = new HashMap<>();
      Counts counts = Counts.NONE;
      for (Memory<Trace> memory : changelog.memories().values()) {
        slots.putAll(memory.committed());
        counts = counts.plus(memory.committedHead().counts());
      }
      snapshots.observe(new TreeMap<>(positions), counts, null, slots);
    }
    return positions.values().stream().mapToLong(each -> each).sum();
  }

  /** How far each partition is applied. */
  Map<String, Long> positions() {
    return new TreeMap<>(positions);
  }

  private void flushed(int partition, Memory<Trace> memory) {
    String name = CrashWorker.INPUT + "-" + partition;
    long from = positions.getOrDefault(name, 0L);
    long to = from;
    for (Head.Input input : memory.committedHead().inputs().values()) {
      to = input.offset() + 1;
    }
    try {
      feed.tell(partition, to, history);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    history.accept(new Observation.Commit(name, from, to, 1, null, null, 1, ""));
    positions.put(name, to);
    commits++;
  }

  /** Tells all outputs and refusals, as readers of what is committed see them. */
  void readAll(String bootstrap) {
    Committed.read(bootstrap, List.of(CrashWorker.OUTPUTS, CrashWorker.REFUSALS), this::message);
    history.accept(new Observation.Complete(READER));
  }

  private void message(ConsumerRecord<byte[], byte[]> record) {
    String key = text(record.key());
    String id = text(record.headers().lastHeader(StreamsFold.ID).value());
    history.accept(
        record.topic().equals(CrashWorker.OUTPUTS)
            ? new Observation.Output(READER, TraceModel.OUTPUT, key, id, text(record.value()))
            : new Observation.Refusal(READER, key, id, text(record.value()).charAt(0)));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    changelog.close();
  }
}
