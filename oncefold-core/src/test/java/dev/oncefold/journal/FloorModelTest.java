package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.Verdict;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The floor against a reference that remembers everything: the engine may only ever differ by
 * Expired, and only at or below a floor that the rule allows.
 */
class FloorModelTest {
  private static final int SEEDS = 1500;
  private static final long SPAN = 1000;
  private static final long NOW = 1_000_000;
  private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(NOW), ZoneOffset.UTC);

  record Change(long amount) {}

  record Total(long sum, long changes) {}

  private static Fold<Total, Change, Total> fold(long atMost) {
    return Fold.of("totals", Total.class, Change.class, Total.class)
        .initially(new Total(0, 0))
        .remembering(Duration.ofMillis(SPAN))
        .atMost(atMost)
        .whenFailed(Fold.WhenFailed.REFUSE)
        .update(
            (total, event) ->
                event.value().amount() % 7 == 0
                    ? Outcome.reject("no sevens")
                    : Outcome.accept(
                        new Total(total.sum() + event.value().amount(), total.changes() + 1)));
  }

  /** Partitions with a script each; a poll takes a few events from one that the seed picks. */
  private static final class Scripts implements Source<Change> {
    private final Map<String, List<Event<Change>>> scripts;
    private final Random random;
    private final boolean inTurn;
    private final Map<String, Integer> next = new HashMap<>();

    Scripts(Map<String, List<Event<Change>>> scripts, Random random, boolean inTurn) {
      this.scripts = scripts;
      this.random = random;
      this.inTurn = inTurn;
    }

    @Override
    public List<String> partitions() {
      return scripts.keySet().stream().sorted().toList();
    }

    @Override
    public void seek(String partition, Position position) {
      next.put(partition, (int) position.offset());
    }

    private int at(String partition) {
      return next.getOrDefault(partition, 0);
    }

    private List<Event<Change>> script(String partition) {
      return scripts.getOrDefault(partition, List.of());
    }

    private boolean unread(String partition) {
      return at(partition) < script(partition).size();
    }

    @Override
    public @Nullable Polled<Change> poll(int max, Duration wait) {
      List<String> unread = partitions().stream().filter(this::unread).toList();
      if (unread.isEmpty()) {
        return null;
      }
      String partition = unread.get(inTurn ? 0 : random.nextInt(unread.size()));
      int from = at(partition);
      int to = Math.min(script(partition).size(), from + 1 + random.nextInt(4));
      List<Received<Change>> events = new ArrayList<>();
      for (int i = from; i < to; i++) {
        events.add(Received.of(i, new Position(i + 1, 0), script(partition).get(i)));
      }
      next.put(partition, to);
      return new Polled<>(partition, new Position(from, 0), events, unread(partition));
    }

    @Override
    public boolean ended() {
      return partitions().stream().noneMatch(this::unread);
    }

    @Override
    public void close() {}
  }

  /** Checks every rise of the floor as it happens. */
  private static final class Watched<S> extends Memory<S> {
    private boolean live;

    Watched(Fold.Ids ids, long k0, long k1) {
      super(ids, k0, k1);
    }

    @Override
    void raiseFloor(long to) {
      long before = floor;
      int ids = this.ids.size();
      super.raiseFloor(to);
      assertThat(to).as("the floor rises").isGreaterThan(before);
      if (live) {
        assertThat(this.ids.size()).as("a rise forgets ids").isLessThan(ids);
      }
    }
  }

  /** One run by seed. */
  private static final class Run {
    private final Random random;
    private final Fold<Total, Change, Total> fold;
    private final boolean bounded;
    private final Map<String, List<Event<Change>>> scripts;
    private final Map<String, Change> first = new HashMap<>();
    private final Map<String, Long> sums = new HashMap<>();
    private final Map<String, Long> watermarks = new HashMap<>();
    private final TestDisk disk = new TestDisk();
    private @Nullable Watched<?> memory;
    private long allowed = Long.MIN_VALUE;
    private long lastFloor = Long.MIN_VALUE;
    int expired;
    int repeated;
    int ahead;

    Run(Random random, long atMost, Map<String, List<Event<Change>>> scripts) {
      this.random = random;
      this.fold = fold(atMost);
      this.bounded = atMost != Long.MAX_VALUE;
      this.scripts = scripts;
    }

    private final class Parts extends Journal.Parts {
      @Override
      <S> Memory<S> memory(Fold.Ids ids, long k0, long k1) {
        Watched<S> made = new Watched<>(ids, k0, k1);
        memory = made;
        return made;
      }

      @Override
      long[] key() {
        return new long[] {random.nextLong(), random.nextLong()};
      }

      @Override
      boolean threads() {
        return false;
      }
    }

    private Watched<?> memory() {
      if (memory == null) {
        throw new AssertionError("no journal is open");
      }
      return memory;
    }

    void all(boolean inTurn, boolean restarts) throws InterruptedException {
      Options options =
          Options.defaults()
              .clock(CLOCK)
              .snapshotBytes(1 + random.nextInt(4000))
              .segmentBytes(1 << 16);
      boolean more = true;
      while (more) {
        Scripts source = new Scripts(scripts, random, inTurn);
        try (Journal<Total, Change, Total> journal =
            Journal.open(disk, fold, options, new Parts())) {
          memory().live = true;
          Runner<Total, Change, Total> runner =
              new Runner<>(
                  journal,
                  fold,
                  List.of(source),
                  CLOCK,
                  Fold.WhenFailed.REFUSE,
                  (polled, verdicts) -> judged(source, polled, verdicts));
          int steps = restarts ? random.nextInt(30) : Integer.MAX_VALUE;
          while (steps-- > 0 && (more = runner.step(Duration.ZERO))) {
            journal.write();
            assertThat((long) memory().ids.size()).isLessThanOrEqualTo(fold.ids().atMost());
          }
        }
        Watched<?> before = memory();
        try (Journal<Total, Change, Total> again = Journal.open(disk, fold, options, new Parts())) {
          assertThat(memory().floor).as("the floor after a restart").isEqualTo(before.floor);
          assertThat(memory().ids.size()).as("ids after a restart").isEqualTo(before.ids.size());
          sums.forEach(
              (key, sum) ->
                  assertThat(again.view().slots().get(key))
                      .as(key)
                      .satisfies(slot -> assertThat(slot.state().sum()).isEqualTo(sum)));
        }
      }
    }

    private void judged(
        Scripts source, Polled<Change> polled, List<Verdict<Total, Total>> verdicts) {
      for (int i = 0; i < verdicts.size(); i++) {
        Event<Change> event = polled.events().get(i).event();
        if (event != null && event.time() != null) {
          judged(polled.partition(), event, event.time().toEpochMilli(), verdicts.get(i));
        }
      }
      long candidate = watermarks.getOrDefault(polled.partition(), Long.MIN_VALUE);
      for (String partition : source.partitions()) {
        if (source.unread(partition)) {
          candidate = Math.min(candidate, watermarks.getOrDefault(partition, Long.MIN_VALUE));
        }
      }
      if (candidate != Long.MIN_VALUE) {
        allowed = Math.max(allowed, candidate - SPAN);
      }
    }

    private void judged(
        String partition, Event<Change> event, long time, Verdict<Total, Total> verdict) {
      String id = event.key() + " " + event.id();
      Change known = first.get(id);
      if (verdict instanceof Verdict.Expired<Total, Total> refused) {
        expired++;
        long floor = refused.floor().toEpochMilli();
        assertThat(time).as("expired only at or below the floor").isLessThanOrEqualTo(floor);
        assertThat(floor).as("the floor never falls").isGreaterThanOrEqualTo(lastFloor);
        if (!bounded) {
          assertThat(floor)
              .as("the floor is no higher than the rule has it")
              .isLessThanOrEqualTo(allowed);
        }
        lastFloor = floor;
        return;
      }
      Verdict.Kind expected;
      if (known != null) {
        expected = known.equals(event.value()) ? Verdict.Kind.DUPLICATE : Verdict.Kind.CONFLICT;
        repeated++;
      } else if (time > NOW + SPAN / 2) {
        expected = Verdict.Kind.FAILED;
        ahead++;
      } else {
        expected = event.value().amount() % 7 == 0 ? Verdict.Kind.REJECTED : Verdict.Kind.APPLIED;
        first.put(id, event.value());
        watermarks.merge(partition, time, Math::max);
        if (expected == Verdict.Kind.APPLIED) {
          sums.merge(event.key(), event.value().amount(), Long::sum);
        }
      }
      assertThat(verdict.kind()).as(id + " at " + time).isEqualTo(expected);
    }
  }

  private static Event<Change> event(String key, String id, long time, long amount) {
    return new Event<>(id, key, Instant.ofEpochMilli(time), new Change(amount));
  }

  @Test
  void differsFromAReferenceThatRemembersEverythingOnlyByExpired() throws InterruptedException {
    int expired = 0;
    int repeated = 0;
    int ahead = 0;
    int boundedExpired = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      boolean bounded = random.nextInt(3) == 0;
      Run run = new Run(random, bounded ? 1 + random.nextInt(20) : Long.MAX_VALUE, scripts(random));
      try {
        run.all(random.nextInt(4) == 0, random.nextBoolean());
      } catch (AssertionError | RuntimeException e) {
        fail("seed " + seed, e);
      }
      expired += run.expired;
      boundedExpired += bounded ? run.expired : 0;
      repeated += run.repeated;
      ahead += run.ahead;
    }
    // A model that never met what it is about has shown nothing.
    assertThat(expired - boundedExpired).isGreaterThan(1000);
    assertThat(boundedExpired).isGreaterThan(1000);
    assertThat(repeated).isGreaterThan(10_000);
    assertThat(ahead).isGreaterThan(100);
  }

  /** Times that wander forward, with stragglers, re-sends (also elsewhere) and wrong clocks. */
  private static Map<String, List<Event<Change>>> scripts(Random random) {
    Map<String, List<Event<Change>>> scripts = new HashMap<>();
    List<Event<Change>> sent = new ArrayList<>();
    int partitions = 1 + random.nextInt(3);
    for (int p = 0; p < partitions; p++) {
      List<Event<Change>> script = new ArrayList<>();
      long time = NOW - 20_000 + random.nextInt(5000);
      int count = random.nextInt(60);
      for (int i = 0; i < count; i++) {
        time += random.nextInt(300);
        int choice = random.nextInt(20);
        Event<Change> event;
        if (choice < 4 && !sent.isEmpty()) {
          event = sent.get(random.nextInt(sent.size()));
        } else if (choice < 5 && !sent.isEmpty()) {
          Event<Change> other = sent.get(random.nextInt(sent.size()));
          event =
              new Event<>(other.id(), other.key(), other.time(), new Change(random.nextInt(99)));
        } else {
          long when =
              choice < 6
                  ? NOW + SPAN / 2 + 1 + random.nextInt(100_000)
                  : choice < 8 ? time - random.nextInt(3000) : time;
          String key = "k" + random.nextInt(3);
          event = event(key, p + "-" + i, when, 1 + random.nextInt(99));
        }
        sent.add(event);
        script.add(event);
      }
      scripts.put("p" + p, script);
    }
    return scripts;
  }

  @Test
  void aBacklogOfThirtySpansDrainedPartitionByPartitionExpiresNothing()
      throws InterruptedException {
    Map<String, List<Event<Change>>> scripts = new HashMap<>();
    for (int p = 0; p < 3; p++) {
      List<Event<Change>> script = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        script.add(event("k" + i % 3, p + "-" + i, NOW - 30 * SPAN + i * SPAN / 10, 1 + i));
      }
      scripts.put("p" + p, script);
    }
    Run run = new Run(new Random(1), Long.MAX_VALUE, scripts);
    run.all(true, true);
    assertThat(run.expired).isZero();
    assertThat(run.memory().floor)
        .as("ids are forgotten all the same")
        .isGreaterThan(NOW - 3 * SPAN);
    assertThat(run.memory().ids.size()).isLessThan(100);
  }

  @Test
  void anEventFarAheadOfTheClockExpiresNobodyElse() throws InterruptedException {
    Run run =
        new Run(
            new Random(1),
            Long.MAX_VALUE,
            Map.of(
                "p",
                List.of(
                    event("k", "1", NOW, 1),
                    event("k", "2", NOW + 365L * 86_400_000, 2),
                    event("k", "3", NOW - SPAN + 1, 3))));
    run.all(true, false);
    assertThat(run.ahead).isEqualTo(1);
    assertThat(run.expired).isZero();
    assertThat(run.sums).isEqualTo(Map.of("k", 4L));
  }

  @Test
  void aLaggingPartitionKeepsIdsAndACaughtUpOneDoesNot() throws InterruptedException {
    List<Event<Change>> ahead = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      ahead.add(event("k", "a" + i, NOW - 10 * SPAN + i * SPAN / 5, 1));
    }
    // "a" is drained while "b" has an event of long ago to read: above any floor all the same.
    Run run =
        new Run(
            new Random(1),
            Long.MAX_VALUE,
            Map.of("a", ahead, "b", List.of(event("k", "b0", NOW - 10 * SPAN, 1))));
    run.all(true, false);
    assertThat(run.expired).isZero();
    assertThat(run.sums).isEqualTo(Map.of("k", 51L));
  }
}
