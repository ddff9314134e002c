package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The walk over a source that a group shares out, and over a store that drops batches. */
class RunnerGroupTest {
  private static final Fold<Long, Long, Long> SUMS =
      Fold.of("sums", Long.class, Long.class, Long.class)
          .initially(0L)
          .rememberingForever()
          .update((sum, event) -> Outcome.accept(sum + event.value()));

  @TempDir Path directory;
  private final List<String> told = new ArrayList<>();
  private final Group source = new Group();
  private @Nullable Journal<Long, Long, Long> open;
  private @Nullable Told store;

  @BeforeEach
  void open() {
    open = Journal.open(directory.resolve("data"), SUMS, Options.defaults());
    store = new Told(open);
  }

  @AfterEach
  void close() {
    journal().close();
  }

  private Journal<Long, Long, Long> journal() {
    if (open == null) {
      throw new IllegalStateException();
    }
    return open;
  }

  private Told store() {
    if (store == null) {
      throw new IllegalStateException();
    }
    return store;
  }

  private Runner<Long, Long, Long> runner() {
    return new Runner<>(store(), SUMS, List.of(source), Clock.systemUTC());
  }

  /** Members come and go: what the source reads is what its test says. */
  private final class Group implements Source<Long> {
    List<String> all = List.of("p0", "p1");
    List<String> mine = List.of();
    boolean unread;
    final Set<String> read = new HashSet<>(); // known to be, whatever a poll answers
    boolean goesOn = true;
    final Deque<Polled<Long>> polls = new ArrayDeque<>();

    void gives(String partition, long from, long to, boolean more, long... values) {
      List<Received<Long>> events = new ArrayList<>();
      for (int i = 0; i < values.length; i++) {
        long at = from + i;
        Event<Long> event = new Event<>(partition + at, "k", null, values[i]);
        events.add(Received.of(at, new Position(at + 1, 7), event));
      }
      polls.add(
          new Polled<>(
              partition, new Position(from, from == 0 ? 0 : 7), events, new Position(to, 7), more));
    }

    @Override
    public List<String> partitions() {
      return all;
    }

    @Override
    public List<String> assigned() {
      return mine;
    }

    @Override
    public void seek(String partition, Position position) {
      told.add("seek " + partition + " " + position.offset());
    }

    @Override
    public @Nullable Polled<Long> poll(int max, Duration wait) {
      return polls.poll();
    }

    @Override
    public boolean mayHaveMore(String partition, boolean idle) {
      return idle ? unread : !read.contains(partition);
    }

    @Override
    public boolean giveUp(String partition) {
      told.add("give up " + partition);
      if (goesOn) {
        mine = mine.stream().filter(p -> !p.equals(partition)).toList();
      }
      return goesOn;
    }

    @Override
    public boolean ended() {
      return polls.isEmpty();
    }

    @Override
    public void close() {}
  }

  /** The journal, which tells what it is asked for and drops a batch when its test says so. */
  private final class Told implements Store<Long, Long, Long> {
    private final Journal<Long, Long, Long> journal;
    // What the next commits fail with, before they do anything.
    final Deque<Supplier<RuntimeException>> failures = new ArrayDeque<>();
    // What another owner has claimed.
    final Set<String> lost = new HashSet<>();
    boolean stopping;

    Told(Journal<Long, Long, Long> journal) {
      this.journal = journal;
    }

    @Override
    public void expect(List<String> partitions) {
      told.add("expect " + partitions);
    }

    @Override
    public Claim claim(String partition) {
      told.add("claim " + partition);
      return journal.claim(partition);
    }

    @Override
    public void release(Claim claim) {
      told.add("release " + claim.partition());
    }

    @Override
    public void caughtUp(Claim claim) {
      told.add("caught up " + claim.partition());
      journal.caughtUp(claim);
    }

    @Override
    public Collection<Claim> overtaken(Collection<Claim> claims) {
      return claims.stream().filter(claim -> lost.contains(claim.partition())).toList();
    }

    @Override
    public void stopping() {
      stopping = true;
    }

    @Override
    public Batch<Long, Long, Long> begin(Claim claim, Position from) {
      Supplier<RuntimeException> failure = failures.poll();
      if (failure != null) {
        throw failure.get();
      }
      Batch<Long, Long, Long> batch = journal.begin(claim, from);
      return new Batch<>() {
        @Override
        public @Nullable Slot<Long> slot(String key) {
          return batch.slot(key);
        }

        @Override
        public @Nullable Remembered remembered(String key, String id) {
          return batch.remembered(key, id);
        }

        @Override
        public long floor() {
          return batch.floor();
        }

        @Override
        public void load(List<Received<Long>> events) {
          batch.load(events);
        }

        @Override
        public void add(Received<Long> received, Verdict<Long, Long> verdict) {
          batch.add(received, verdict);
        }

        @Override
        public boolean isFull() {
          return batch.isFull();
        }

        @Override
        public CompletableFuture<Position> commit(Position to, boolean unread) {
          told.add("commit " + claim.partition() + " " + to.offset());
          return batch.commit(to, unread);
        }

        @Override
        public void close() {
          batch.close();
        }
      };
    }
  }

  @Test
  void partitionsAreClaimedWhenTheyComeAndReleasedWhenTheyGo() throws Exception {
    Runner<Long, Long, Long> runner = runner();
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("expect [p0, p1]");
    told.clear();
    source.mine = List.of("p1");
    source.gives("p1", 0, 2, false, 3, 4);
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("claim p1", "seek p1 0", "commit p1 2");
    told.clear();
    source.mine = List.of("p0");
    runner.step(Duration.ZERO);
    source.mine = List.of("p0", "p1");
    runner.step(Duration.ZERO);
    assertThat(told)
        .containsExactly(
            "release p1",
            "claim p0",
            "seek p0 0",
            "caught up p0",
            "claim p1",
            "seek p1 2",
            "caught up p1");
    told.clear();
    source.all = List.of("p0", "p1", "p2");
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("expect [p0, p1, p2]");
    runner.awaitCommits();
    assertThat(journal().state("k")).isEqualTo(7);
  }

  @Test
  void aPartitionIsCaughtUpOnlyWhenTheSourceKnowsIt() throws Exception {
    source.mine = List.of("p0");
    source.unread = true;
    Runner<Long, Long, Long> runner = runner();
    runner.step(Duration.ZERO);
    assertThat(told).doesNotContain("caught up p0");
    source.unread = false;
    runner.step(Duration.ZERO);
    runner.step(Duration.ZERO);
    assertThat(told).containsOnlyOnce("caught up p0");
    // More has come, and no end of it was seen.
    told.clear();
    source.gives("p0", 0, 1, true, 1);
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("commit p0 1");
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("commit p0 1", "caught up p0");
  }

  /** Or else it would hold the floor for as long as the other one never pauses. */
  @Test
  void aPartitionIsCaughtUpWhileAnotherIsBusy() throws Exception {
    source.mine = List.of("p0", "p1", "p2");
    source.read.addAll(List.of("p0", "p1"));
    source.gives("p0", 0, 1, true, 1);
    source.gives("p0", 1, 2, true, 1);
    source.gives("p1", 0, 1, true, 1);
    Runner<Long, Long, Long> runner = runner();
    runner.step(Duration.ZERO);
    // Of p0 the poll itself has said that there is more; of p2 nothing is known.
    assertThat(told).containsSubsequence("claim p2", "commit p0 1", "caught up p1");
    assertThat(told).doesNotContain("caught up p0", "caught up p2");
    runner.step(Duration.ZERO);
    assertThat(told).containsOnlyOnce("caught up p1");
    told.clear();
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("commit p1 1", "caught up p0");
  }

  /** One that says no more than whether a poll found anything knows nothing of a busy time. */
  @Test
  void aSourceThatDoesNotSayIsTakenToHaveMore() {
    Source<Long> quiet =
        new Source<>() {
          @Override
          public List<String> partitions() {
            return List.of("p0");
          }

          @Override
          public void seek(String partition, Position position) {}

          @Override
          public @Nullable Polled<Long> poll(int max, Duration wait) {
            return null;
          }

          @Override
          public boolean ended() {
            return true;
          }

          @Override
          public void close() {}
        };
    assertThat(quiet.mayHaveMore("p0", false)).isTrue();
    assertThat(quiet.mayHaveMore("p0", true)).isFalse();
  }

  @Test
  void aPollWithoutEventsMovesThePosition() throws Exception {
    source.mine = List.of("p0");
    source.gives("p0", 0, 5, false);
    source.gives("p0", 5, 7, false, 1);
    Counts counts = runner().run();
    assertThat(counts.events()).isEqualTo(1);
    assertThat(told).contains("commit p0 5", "commit p0 7");
    assertThat(journal().positions().get("p0")).isEqualTo(new Position(7, 7));
  }

  @Test
  void aDroppedBatchIsJudgedAgainAndCountedOnce() throws Exception {
    source.mine = List.of("p0");
    source.gives("p0", 0, 3, false, 1, 2, 3);
    store().failures.add(() -> new RejudgeException("a deadlock"));
    store().failures.add(() -> new RejudgeException("once more"));
    Counts counts = runner().run();
    assertThat(counts.applied()).isEqualTo(3);
    assertThat(journal().counts()).isEqualTo(counts);
    assertThat(journal().state("k")).isEqualTo(6);
  }

  @Test
  void aDroppedBatchEndsARunThatIsToStop() throws Exception {
    source.mine = List.of("p0");
    source.gives("p0", 0, 1, false, 1);
    Runner<Long, Long, Long> runner = runner();
    store()
        .failures
        .add(
            () -> {
              runner.stop();
              return new RejudgeException("the database is away");
            });
    assertThat(runner.run()).isEqualTo(Counts.NONE);
    assertThat(store().stopping).isTrue();
    assertThat(journal().counts()).isEqualTo(Counts.NONE);
  }

  @Test
  void aMemberGoesOnWithoutAPartitionThatOthersTook() throws Exception {
    source.mine = List.of("p0", "p1");
    source.gives("p0", 0, 1, false, 1);
    source.gives("p1", 0, 1, false, 10);
    store().failures.add(() -> new FencedException("taken over"));
    Counts counts = runner().run();
    assertThat(told).containsSubsequence("give up p0", "release p0", "commit p1 1");
    assertThat(told).containsOnlyOnce("release p0");
    assertThat(counts.applied()).isEqualTo(1);
    assertThat(journal().state("k")).isEqualTo(10);
  }

  /** Where nothing is read no batch would find out, and the partition would stand still. */
  @Test
  void aMemberGivesUpWhatWasTakenOverWhileNothingCame() throws Exception {
    source.mine = List.of("p0", "p1");
    Runner<Long, Long, Long> runner = runner();
    runner.step(Duration.ZERO);
    store().lost.add("p0");
    runner.step(Duration.ZERO);
    runner.step(Duration.ZERO);
    assertThat(told).containsSubsequence("give up p0", "release p0");
    assertThat(told).containsOnlyOnce("give up p0");
    // It comes back by the group only.
    store().lost.clear();
    source.mine = List.of("p0", "p1");
    told.clear();
    runner.step(Duration.ZERO);
    assertThat(told).containsExactly("claim p0", "seek p0 0", "caught up p0");
  }

  @Test
  void whatIsCaughtUpUnderAnOldClaimIsGivenUp() throws Exception {
    source.mine = List.of("p0", "p1");
    source.unread = true;
    Runner<Long, Long, Long> runner = runner();
    runner.step(Duration.ZERO);
    journal().claim("p0");
    source.unread = false;
    runner.step(Duration.ZERO);
    assertThat(told).containsSubsequence("give up p0", "release p0", "caught up p1");
  }

  @Test
  void whoIsAloneStopsWhenTakenOverWhileNothingCame() throws Exception {
    source.mine = List.of("p0");
    source.goesOn = false;
    Runner<Long, Long, Long> runner = runner();
    runner.step(Duration.ZERO);
    store().lost.add("p0");
    assertThatThrownBy(() -> runner.step(Duration.ZERO))
        .isInstanceOf(FencedException.class)
        .hasMessageContaining("\"p0\"");
  }

  @Test
  void whoIsAloneStopsWhenFenced() {
    source.mine = List.of("p0");
    source.goesOn = false;
    source.gives("p0", 0, 1, false, 1);
    store().failures.add(() -> new FencedException("taken over"));
    Runner<Long, Long, Long> runner = runner();
    assertThatThrownBy(runner::run).isInstanceOf(FencedException.class).hasMessage("taken over");
    // It never goes on by claiming anew, however often it is asked.
    source.gives("p0", 0, 1, false, 1);
    store().failures.add(() -> new FencedException("taken over"));
    assertThatThrownBy(runner::run).isInstanceOf(FencedException.class);
    assertThat(told).containsOnlyOnce("claim p0");
  }
}
