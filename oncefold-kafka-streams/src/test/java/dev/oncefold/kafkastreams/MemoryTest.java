package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Outcome;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What one task holds, and what it is after it was read from the changelog. */
class MemoryTest {
  private static final Duration DAY = Duration.ofDays(1);

  record State(long sum) {}

  record Deposit(long amount) {}

  private static Fold.Builder<State, Deposit, String> builder() {
    return Fold.of("deposits", State.class, Deposit.class, String.class)
        .initially(new State(0))
        .remembering(DAY);
  }

  private static Fold<State, Deposit, String> fold(int version) {
    return builder()
        .version(version)
        .update((state, event) -> Outcome.accept(new State(state.sum() + event.value().amount())));
  }

  /** A changelog, with and without what compaction takes away. */
  private static final class Log implements Memory.Log {
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Line(byte[] key, byte @Nullable [] value) {}

    private final List<Line> lines = new ArrayList<>();

    @Override
    public void put(byte[] key, byte @Nullable [] value) {
      lines.add(new Line(key, value));
    }

    Memory<State> restored(int version, boolean compacted) {
      return restored(version, compacted, false);
    }

    /** Tombstones stay for a day after a compaction. */
    Memory<State> restored(int version, boolean compacted, boolean tombstones) {
      Memory<State> memory = new Memory<>(fold(version), "log");
      Map<String, Integer> last = new HashMap<>();
      for (int i = 0; i < lines.size(); i++) {
        last.put(Arrays.toString(lines.get(i).key), i);
      }
      Set<Integer> kept = new HashSet<>(last.values());
      for (int i = 0; i < lines.size(); i++) {
        if (!compacted || (kept.contains(i) && (tombstones || lines.get(i).value != null))) {
          memory.restore(lines.get(i).key, lines.get(i).value);
        }
      }
      return memory;
    }

    /** As a standby reads on. */
    void into(Memory<State> memory, int from) {
      lines.subList(from, lines.size()).forEach(line -> memory.restore(line.key, line.value));
    }

    int size() {
      return lines.size();
    }

    long written(String key) {
      return lines.stream().filter(line -> Arrays.equals(line.key, Memory.slotKey(key))).count();
    }
  }

  private static Memory<State> begun() {
    Memory<State> memory = new Memory<>(fold(1), "log");
    memory.open(false);
    return memory;
  }

  private static final Verdict<State, String> APPLIED = new Verdict.Rejected<>("any");

  private static void apply(Memory<State> memory, String key, String id, Log log) {
    memory.set(key, new State(1));
    memory.remember(key, id, 1, DAY.toMillis(), null);
    memory.count(APPLIED);
    memory.flush(log, Kernel.NO_FLOOR);
  }

  @Test
  void aTaskThatBeganAndBecameAStandbyKnowsTheIdsThatOthersWrote() {
    Memory<State> standby = begun();
    Log log = new Log();
    apply(begun(), "a", "first", log);
    log.into(standby, 0);
    standby.open(false);
    assertThat(standby.remembered("a", "first")).isNotNull();
    apply(standby, "b", "second", log);
    Memory<State> third = log.restored(1, true);
    third.open(false);
    assertThat(third.remembered("a", "first")).isNotNull();
    assertThat(third.remembered("b", "second")).isNotNull();
  }

  @Test
  void aTaskThatBeginsAgainBeforeItHasWrittenAnythingStillSaysWhichFoldWrites() {
    Memory<State> memory = begun();
    memory.open(false);
    Log log = new Log();
    apply(memory, "a", "first", log);
    Memory<State> changed = log.restored(2, false);
    changed.open(true);
    changed.open(true);
    apply(changed, "b", "second", log);
    Memory<State> third = log.restored(2, false);
    third.open(false);
    assertThat(third.remembered("a", "first")).isNotNull();
    assertThat(third.slot("b")).isEqualTo(new Slot<>(new State(1), 1));
  }

  @Test
  void whatIsFlushedIsWhatIsRestored() {
    Random random = new Random(1);
    Memory<State> memory = begun();
    Log log = new Log();
    Map<String, Long> states = new HashMap<>();
    Map<String, Long> ids = new HashMap<>();
    long time = DAY.toMillis() * 100;
    for (int commit = 0; commit < 300; commit++) {
      for (int i = random.nextInt(40); i >= 0; i--) {
        time += random.nextInt(100_000);
        String key = "k" + random.nextInt(50);
        if (random.nextInt(10) == 0) {
          memory.set(key, null);
          states.remove(key);
        } else {
          long sum = states.merge(key, (long) i, Long::sum);
          memory.set(key, new State(sum));
        }
        String id = commit + "." + i;
        memory.remember(key, id, i, time, i % 7 == 0 ? "reason " + i : null);
        ids.put(key + "/" + id, time);
        memory.count(APPLIED);
        if (commit % 2 == 0) {
          memory.writeEarly(log, 3);
        }
        memory.inputs().passed(new Origin("in", "id", 3, commit * 100L + i, 0), time);
      }
      memory.flush(log, memory.inputs().watermark());
      if (commit % 50 == 0) {
        for (Memory<State> restored :
            List.of(log.restored(1, false), log.restored(1, true), log.restored(1, true, true))) {
          restored.open(false);
          compare(memory, restored, states, ids);
        }
      }
    }
    assertThat(memory.floor()).as("ids were forgotten").isGreaterThan(Kernel.NO_FLOOR);
    Map<String, byte[]> pages = new HashMap<>();
    log.lines.stream()
        .filter(line -> line.key[0] == 'I')
        .forEach(line -> pages.put(Arrays.toString(line.key), line.value));
    assertThat(pages.values().stream().filter(page -> page == null).count())
        .as("pages that were removed")
        .isGreaterThan(10);
  }

  private static void compare(
      Memory<State> memory,
      Memory<State> restored,
      Map<String, Long> states,
      Map<String, Long> ids) {
    Map<String, Long> found = new HashMap<>();
    restored.committed().forEach((key, slot) -> found.put(key, slot.state().sum()));
    assertThat(found).isEqualTo(states);
    states.keySet().forEach(key -> assertThat(restored.slot(key)).isEqualTo(memory.slot(key)));
    assertThat(restored.floor()).isEqualTo(memory.floor());
    assertThat(restored.counts()).isEqualTo(memory.counts());
    assertThat(restored.inputs().watermark()).isEqualTo(memory.inputs().watermark());
    ids.forEach(
        (id, time) -> {
          String[] parts = id.split("/", 2);
          assertThat(restored.remembered(parts[0], parts[1]))
              .as(id)
              .isEqualTo(memory.remembered(parts[0], parts[1]));
          assertThat(restored.remembered(parts[0], parts[1]) != null)
              .as(id)
              .isEqualTo(time > memory.floor());
        });
  }

  @Test
  void aKeyIsWrittenOncePerFlush() {
    Memory<State> memory = begun();
    Log log = new Log();
    for (int i = 0; i < 1000; i++) {
      memory.set("a", new State(i));
      memory.count(APPLIED);
    }
    memory.flush(log, Kernel.NO_FLOOR);
    assertThat(log.size()).as("the definition, the state and the head").isEqualTo(3);
    memory.flush(log, Kernel.NO_FLOOR);
    assertThat(log.size()).as("nothing has changed").isEqualTo(3);
  }

  @Test
  void aKeyThatIsSetAgainAndAgainIsNotWrittenEarly() {
    Memory<State> memory = begun();
    Log log = new Log();
    for (int i = 0; i < 1000; i++) {
      memory.set("hot", new State(i));
      memory.set("cold" + i, new State(i));
      memory.count(APPLIED);
      memory.writeEarly(log, 10);
    }
    assertThat(log.size()).as("the definition, and all but ten states").isEqualTo(1 + 1001 - 10);
    assertThat(log.lines.get(0).key[0]).as("what says which fold writes").isEqualTo((byte) 'D');
    assertThat(log.written("hot")).isZero();
    memory.flush(log, Kernel.NO_FLOOR);
    assertThat(log.size()).as("definition, states and head").isEqualTo(1 + 1001 + 1);
    assertThat(log.written("hot")).isEqualTo(1);
    memory.set("hot", new State(1));
    memory.count(APPLIED);
    memory.flush(log, Kernel.NO_FLOOR);
    assertThat(log.size()).as("the state and the head").isEqualTo(1 + 1001 + 1 + 2);
  }

  @Test
  void whatIsWrittenEarlyIsSeenWhenItsCommitIsPublished() {
    Memory<State> memory = begun();
    Log log = new Log();
    memory.set("gone", new State(1));
    memory.set("back", new State(1));
    memory.count(APPLIED);
    memory.flush(log, Kernel.NO_FLOOR);
    memory.publish();
    memory.set("gone", null);
    memory.set("back", null);
    memory.set("new", new State(2));
    memory.set("twice", new State(2));
    memory.count(APPLIED);
    memory.writeEarly(log, 0);
    memory.set("back", new State(3));
    memory.set("twice", new State(3));
    memory.writeEarly(log, 0);
    assertThat(memory.committed()).containsOnlyKeys("gone", "back");
    memory.flush(log, Kernel.NO_FLOOR);
    assertThat(memory.committed()).containsOnlyKeys("gone", "back");
    memory.publish();
    Map<String, Slot<State>> now =
        Map.of(
            "back", new Slot<>(new State(3), 1),
            "new", new Slot<>(new State(2), 1),
            "twice", new Slot<>(new State(3), 2));
    assertThat(memory.committed()).isEqualTo(now);
    assertThat(memory.slot("gone")).isNull();
    assertThat(log.restored(1, false).committed()).isEqualTo(now);
    assertThat(log.restored(1, true).committed()).isEqualTo(now);
  }

  @Test
  void readersSeeWhatWasPublished() {
    Memory<State> memory = begun();
    memory.set("a", new State(1));
    memory.count(APPLIED);
    memory.flush(new Log(), Kernel.NO_FLOOR);
    assertThat(memory.committed("a")).isNull();
    memory.publish();
    assertThat(memory.committed("a")).isNotNull();
    memory.set("a", null);
    assertThat(memory.committed("a")).isNotNull();
    memory.count(APPLIED);
    memory.flush(new Log(), Kernel.NO_FLOOR);
    memory.publish();
    assertThat(memory.committed()).isEmpty();
  }

  @Test
  void positionsTellWhatWasApplied() {
    Memory<State> memory = begun();
    memory.inputs().passed(new Origin("in", "id", 0, 7, 1), 0);
    assertThat(memory.inputs().isApplied(new Origin("in", "id", 0, 7, 1))).isTrue();
    assertThat(memory.inputs().isApplied(new Origin("in", "id", 0, 6, 9))).isTrue();
    assertThat(memory.inputs().isApplied(new Origin("in", "id", 0, 7, 2))).isFalse();
    assertThat(memory.inputs().isApplied(new Origin("in", "id", 0, 8, 0))).isFalse();
    assertThat(memory.inputs().isApplied(new Origin("in", "id", 1, 3, 0))).isFalse();
    assertThat(memory.inputs().isApplied(new Origin("in", "another", 0, 3, 0))).isFalse();
  }

  @Test
  void whatWaitsComesBackInOrder() {
    Memory<State> memory = begun();
    Log log = new Log();
    for (byte i = 0; i < 20; i++) {
      memory.hold(new byte[] {i});
    }
    memory.flush(log, Kernel.NO_FLOOR);
    Memory<State> restored = log.restored(1, true);
    restored.open(false);
    for (byte i = 0; i < 20; i++) {
      assertThat(restored.firstWaiting()).containsExactly(i);
      restored.release();
    }
    restored.flush(log, Kernel.NO_FLOOR);
    Memory<State> empty = log.restored(1, false);
    assertThat(empty.firstWaiting()).isNull();
  }

  @Test
  void anotherVersionIsRefusedUnlessAccepted() {
    Memory<State> memory = begun();
    Log log = new Log();
    memory.set("a", new State(5));
    memory.count(APPLIED);
    memory.flush(log, Kernel.NO_FLOOR);
    assertThatThrownBy(() -> log.restored(2, false).open(false))
        .isInstanceOf(StreamsFoldException.class)
        .hasMessageContaining("version 1")
        .hasMessageContaining("version 2")
        .hasMessageContaining("acceptingChange");
    Memory<State> accepted = log.restored(2, false);
    accepted.open(true);
    accepted.set("b", new State(6));
    accepted.count(APPLIED);
    accepted.flush(log, Kernel.NO_FLOOR);
    Memory<State> again = log.restored(2, true);
    again.open(false);
    assertThat(again.slot("a")).isNotNull();
    assertThat(again.slot("b")).isNotNull();
    assertThatThrownBy(() -> log.restored(1, true).open(false)).hasMessageContaining("version 2");
  }

  @Test
  void whatIsNoRecordOfTheFoldIsAnErrorThatNamesTheChangelog() {
    assertThatThrownBy(() -> begun().restore(new byte[] {'x'}, new byte[] {1}))
        .isInstanceOf(StreamsFoldException.class)
        .hasMessageContaining("log")
        .hasMessageContaining("tag");
  }
}
