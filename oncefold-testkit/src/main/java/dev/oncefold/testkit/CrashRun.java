package dev.oncefold.testkit;

import dev.oncefold.DryRun;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Received;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.JournalException;
import dev.oncefold.journal.View;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.ChildException;
import dev.oncefold.verify.HistoryFile;
import dev.oncefold.verify.HistoryWriter;
import dev.oncefold.verify.Nemesis;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.RecordedModel;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Schedule;
import dev.oncefold.verify.Snapshots;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One crash run of the embedded engine: a process that applies a subject's input is killed and
 * paused by a schedule, and everything that can be seen of it goes into a history.
 *
 * <p>After every kill the journal is copied and opened as a new process would open it: that is the
 * recovery point. The input is told as this process reads it, the outputs as they stand in the
 * files.
 */
final class CrashRun<S, E, O> implements Nemesis.Witness, AutoCloseable {
  private static final String ENGINE = "embedded journal";

  private final Class<?> type;
  private final String[] arguments;
  private final Subject<S, E, O> subject;
  private final Fold<S, E, O> fold;
  private final Scratch scratch;
  private final Schedule schedule;
  private final Consumer<Supplier<String>> watch;
  private final HistoryWriter history;
  private final Commits<E> commits;
  private final Reading<E> input;
  private final Words words = new Words();
  private final Snapshots<S> snapshots;
  private final List<SinkReader> readers = new ArrayList<>();
  private final List<Observation.Fault> faults = new ArrayList<>();
  // How far the history is.
  private long sequence;
  private long answered;

  CrashRun(
      Class<?> type,
      String[] arguments,
      Subject<S, E, O> subject,
      Scratch scratch,
      Schedule schedule,
      Consumer<Supplier<String>> watch) {
    this.type = type;
    this.arguments = arguments;
    this.subject = subject;
    this.fold = subject.fold();
    this.scratch = scratch;
    this.schedule = schedule;
    this.watch = watch;
    this.input = new Reading<>(subject.source());
    this.history = new HistoryWriter(scratch.seen());
    this.commits =
        new Commits<>(
            input,
            new Kernel<>(fold),
            fold.version(),
            System.currentTimeMillis() + fold.ids().aheadMillis(),
            history);
    this.snapshots = new Snapshots<>(state -> words.of(fold.stateCodec(), state), history);
  }

  private void readFiles(String reader) throws IOException {
    List<String> outputs = scratch.outputs();
    for (int i = 0; i < outputs.size(); i++) {
      readers.add(new SinkReader(reader, scratch.output(i), outputs.get(i), history));
    }
    readers.add(new SinkReader(reader, scratch.refusals(), null, history));
  }

  @Override
  public void close() {
    input.close();
    history.close();
  }

  List<Observation.Fault> faults() {
    return faults;
  }

  /** Runs it all, and judges the history. */
  Result run(Map<String, String> about) throws IOException, InterruptedException {
    history.accept(begin(about));
    long end = rehearse();
    readFiles("follower");
    Beacon beacon = Beacon.at(scratch.beacon());
    List<String> args = new ArrayList<>(List.of(scratch.directory().toString(), type.getName()));
    args.addAll(List.of(arguments));
    Nemesis.Victim worker =
        () ->
            Child.start(
                CrashWorker.class, Child.shortLived(), scratch.log(), args.toArray(new String[0]));
    try (Nemesis nemesis = new Nemesis(schedule, beacon, end, worker, this)) {
      nemesis.run();
    } catch (ChildException e) {
      // It does not get on, and that is what the history says, too.
      history.accept(new Observation.Refused(String.valueOf(e.getMessage())));
      history.accept(new Observation.Calm());
      commits.read(Long.MAX_VALUE);
    }
    history.accept(
        new Observation.Fault("F13", "re-sends in the input", commits.resent() > 0, false, false));
    history.accept(new Observation.End(0));
    history.close();
    return judge();
  }

  private Observation.Begin begin(Map<String, String> about) {
    Fold.Ids ids = fold.ids();
    return new Observation.Begin(
        ENGINE,
        fold.name(),
        schedule.seed(),
        RecordedModel.NAME,
        switch (ids.kind()) {
          case SPAN -> ids.span().toMillis();
          case FOREVER -> Observation.Begin.FOREVER;
          case NONE -> Observation.Begin.NO_IDS;
        },
        null,
        new Observation.Needs(1, schedule.kills(), (schedule.kills() + 1) / 2, 1, List.of("F2")),
        about);
  }

  /** Goes through the input once: answers where it ends, and writes down what outputs it makes. */
  private long rehearse() throws IOException, InterruptedException {
    long end = 0;
    Set<String> outputs = new TreeSet<>();
    DryRun<S, E, O> dry = new DryRun<>(fold, Kernel.NO_LIMIT);
    try (Reading<E> all = new Reading<>(subject.source())) {
      for (Received<E> next = all.next(); next != null; next = all.next()) {
        end = next.next().offset();
        Event<E> event = next.event();
        if (event != null && dry.apply(event) instanceof Verdict.Applied<S, O> applied) {
          applied.outputs().forEach(output -> outputs.add(output.name()));
        }
      }
    }
    if (end == 0) {
      throw new IllegalArgumentException("the input has no events: nothing can be verified");
    }
    scratch.outputs(outputs);
    return end;
  }

  private Result judge() {
    try (Reading<E> again = new Reading<>(subject.source());
        HistoryWriter whole = new HistoryWriter(scratch.history())) {
      Checker.tell(new HistoryFile(scratch.seen()), new FoldModel<>(fold, again::event), whole);
    }
    return Checker.check(new HistoryFile(scratch.history()));
  }

  // ---------------------------------------------------------------- what is seen

  @Override
  public void fault(Observation.Fault fault) {
    faults.add(fault);
    history.accept(fault);
  }

  @Override
  public void calm() {
    history.accept(new Observation.Calm());
  }

  @Override
  public void waiting() {
    watch.accept(
        () -> {
          long kills = faults.stream().filter(Observation.Fault::killed).count();
          long inside = faults.stream().filter(f -> f.killed() && f.openCommit()).count();
          return String.format(
              Locale.ROOT,
              "  seed %d: %,d events applied and compared, %d of %d kills (%d in an open commit)",
              schedule.seed(),
              sequence,
              kills,
              schedule.kills(),
              inside);
        });
  }

  /** While the owner stands still, nobody else may own. */
  @Override
  public void paused() {
    try {
      Journal.open(scratch.journal(), fold, CrashWorker.options()).close();
      history.accept(
          new Observation.Claimed(commits.partition(), Commits.EPOCH + 1, commits.committed()));
    } catch (JournalException e) {
      // As it should be.
    }
  }

  @Override
  public void ended(Nemesis.Life life) {
    try {
      if (life.resumed() != Beacon.NOT_YET) {
        answered = Math.max(answered, life.committed());
      }
      scratch.copyJournal();
      try (Journal<S, E, O> journal = Journal.open(scratch.copy(), fold, CrashWorker.options())) {
        recovered(journal);
      } catch (JournalException e) {
        history.accept(new Observation.Refused(String.valueOf(e.getMessage())));
      }
      for (SinkReader reader : readers) {
        reader.readOn();
      }
      if (!life.killed()) {
        complete();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("what the process left cannot be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void recovered(Journal<S, E, O> journal) throws InterruptedException {
    View<S> view = journal.view();
    Map<String, Long> positions = new HashMap<>();
    view.positions().forEach((partition, position) -> positions.put(partition, position.offset()));
    long position = positions.getOrDefault(commits.partition(), 0L);
    commits.read(position);
    journal.history(sequence, commits::judged);
    commits.committed(position);
    if (answered > 0) {
      history.accept(new Observation.Answered(commits.partition(), answered));
    }
    snapshots.observe(positions, view.counts(), null, view.slots());
    sequence = view.sequence();
  }

  /** Everything is committed: whoever followed the files has all, and so has who reads them now. */
  private void complete() throws IOException, InterruptedException {
    commits.read(Long.MAX_VALUE);
    history.accept(new Observation.Complete("follower"));
    readers.clear();
    readFiles("file");
    for (SinkReader reader : readers) {
      reader.readOn();
    }
    history.accept(new Observation.Complete("file"));
  }
}
