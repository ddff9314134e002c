package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Remembered;
import dev.oncefold.Slot;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A small honest store, of which each step can be broken by itself: one log, one frame for each
 * commit, one sync for each frame. The frames hold what each event moved, and all that is stored is
 * what comes of applying them in order. For one thread.
 */
class ToyStore implements Store<Trace, Move, String> {
  static final String FOLD = "moves";

  /** Told of what the store does. */
  interface Observer {
    /** A commit is about to be written. */
    void begins(Observation.Commit commit);

    /** A commit is written and not synced. */
    void open();

    /** The commit that began last is committed. */
    void committed();

    /** A partition was claimed. */
    void claimed(Observation.Claimed claimed);
  }

  /** What one event moves into one key. */
  record Effect(String key, String id, long seq, long amount) {}

  // What is committed.
  final Map<String, Slot<Trace>> slots = new TreeMap<>();
  final Map<String, Long> positions = new TreeMap<>();
  final Counts.Tally counts = new Counts.Tally();
  final List<ToyLog.Line> outputs = new ArrayList<>();
  final List<ToyLog.Line> refusals = new ArrayList<>();
  private final Map<String, Long> epochs = new HashMap<>();
  private final Map<String, Remembered> ids = new HashMap<>();

  private final ToyLog log;
  private final Kernel<Trace, Move, String> kernel;
  private final Observer observer;
  // What the present batch has changed.
  final Map<String, Slot<Trace>> judged = new TreeMap<>();

  ToyStore(ToyLog log, Fold<Trace, Move, String> fold, Observer observer) {
    this.log = log;
    this.kernel = new Kernel<>(fold);
    this.observer = observer;
  }

  /**
   * Reads what is stored.
   *
   * @throws IOException if it cannot be read, or is damaged
   */
  final void open() throws IOException {
    log.open(this::apply);
  }

  // ---------------------------------------------------------------- the steps that a test breaks

  /** What is written together. */
  List<List<ToyLog.Part>> frames(List<ToyLog.Part> parts) {
    return List.of(parts);
  }

  /** Commits one frame. */
  void write(List<ToyLog.Part> frame) throws IOException {
    log.append(frame);
    observer.open();
    log.sync();
  }

  /** Whether a claim may begin a batch. */
  boolean holds(Claim claim, Position from) {
    return claim.epoch() == epochs.getOrDefault(claim.partition(), 0L)
        && from.equals(position(claim.partition()));
  }

  /** The order in which the effects of a batch are applied. */
  List<Effect> order(List<Effect> effects) {
    return effects;
  }

  /** Whether an event is in the commit. */
  boolean counts(Verdict<Trace, String> verdict) {
    return true;
  }

  /** Whether it commits at all. */
  boolean goesOn() {
    return true;
  }

  /** What a query is shown. */
  Map<String, Slot<Trace>> query() {
    return slots;
  }

  // ---------------------------------------------------------------- applying

  private void apply(ToyLog.Part part) {
    for (ToyLog.Line line : part.lines()) {
      String[] fields = line.fields();
      switch (part.kind()) {
        case CLAIM -> epochs.put(fields[0], Long.parseLong(fields[1]));
        case POSITION -> positions.put(fields[0], Long.parseLong(fields[1]));
        case IDS ->
            ids.put(
                fields[0] + ' ' + fields[1],
                new Remembered(Long.parseLong(fields[2]), fields[3].isEmpty() ? null : fields[3]));
        case EFFECTS -> {
          Slot<Trace> old = slots.get(fields[0]);
          Trace before = old == null ? Trace.NONE : old.state();
          Trace after =
              before.after(fields[1], Long.parseLong(fields[2]), Long.parseLong(fields[3]));
          slots.put(fields[0], new Slot<>(after, old == null ? 1 : old.version() + 1));
        }
        case TALLY -> counts.add(Letters.kind(fields[0].charAt(0)), Integer.parseInt(fields[1]));
        case REFUSALS -> refusals.add(line);
        case OUTPUTS -> outputs.add(line);
      }
    }
  }

  private void commitAll(List<ToyLog.Part> parts) {
    try {
      for (List<ToyLog.Part> frame : frames(parts)) {
        write(frame);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    parts.forEach(this::apply);
  }

  // ---------------------------------------------------------------- the store

  private Position position(String partition) {
    return ToyInput.position(positions.getOrDefault(partition, 0L));
  }

  @Override
  public Claim claim(String partition) {
    long epoch = epochs.getOrDefault(partition, 0L) + 1;
    ToyLog.Part part =
        new ToyLog.Part(
            ToyLog.Kind.CLAIM, List.of(ToyLog.Line.of(partition, String.valueOf(epoch))));
    try {
      log.append(List.of(part));
      log.sync();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    apply(part);
    Claim claim = new Claim(partition, epoch, position(partition));
    observer.claimed(new Observation.Claimed(partition, epoch, claim.position().offset()));
    return claim;
  }

  @Override
  public void caughtUp(Claim claim) {}

  @Override
  public Batch<Trace, Move, String> begin(Claim claim, Position from) {
    if (!holds(claim, from)) {
      throw new FencedException(claim + " does not begin at " + from);
    }
    judged.clear();
    return new ToyBatch(claim, from);
  }

  private final class ToyBatch implements Batch<Trace, Move, String> {
    private final Claim claim;
    private final Position from;
    private final Map<String, Remembered> newIds = new HashMap<>();
    private final List<Effect> effects = new ArrayList<>();
    private final StringBuilder verdicts = new StringBuilder();
    private final Map<ToyLog.Kind, List<ToyLog.Line>> lines = new TreeMap<>();

    ToyBatch(Claim claim, Position from) {
      this.claim = claim;
      this.from = from;
    }

    @Override
    public @Nullable Slot<Trace> slot(String key) {
      return judged.getOrDefault(key, slots.get(key));
    }

    @Override
    public @Nullable Remembered remembered(String key, String id) {
      String name = key + ' ' + id;
      return newIds.getOrDefault(name, ids.get(name));
    }

    @Override
    public long floor() {
      return Kernel.NO_FLOOR;
    }

    @Override
    public void load(List<Received<Move>> events) {}

    @Override
    public boolean isFull() {
      return false;
    }

    private void line(ToyLog.Kind kind, String... fields) {
      lines.computeIfAbsent(kind, k -> new ArrayList<>()).add(ToyLog.Line.of(fields));
    }

    @Override
    public void add(Received<Move> received, Verdict<Trace, String> verdict) {
      if (!counts(verdict)) {
        return;
      }
      verdicts.append(Letters.of(verdict.kind()));
      Event<Move> event = received.event();
      String key = event == null ? "" : event.key();
      String id =
          event == null || event.id() == null ? received.positionId(claim.partition()) : event.id();
      int emitted = 0;
      if (event != null && verdict instanceof Verdict.Applied<Trace, String> applied) {
        remember(event, null);
        Move move = event.value();
        for (int i = 0; i < move.keys().size(); i++) {
          String changed = move.keys().get(i);
          effects.add(new Effect(changed, id, move.seq(), move.amounts().get(i)));
          Slot<Trace> old = slot(changed);
          Trace after = applied.states().orNull(changed);
          judged.put(
              changed,
              new Slot<>(after == null ? Trace.NONE : after, old == null ? 1 : old.version() + 1));
        }
        for (Output<String> output : applied.outputs()) {
          line(
              ToyLog.Kind.OUTPUTS,
              output.name(),
              key,
              Output.id(FOLD, key, id, emitted++),
              output.value());
        }
      } else if (!(verdict instanceof Verdict.Duplicate)) {
        if (event != null && verdict instanceof Verdict.Rejected<Trace, String> rejected) {
          remember(event, rejected.reason());
        }
        line(ToyLog.Kind.REFUSALS, key, id, String.valueOf(Letters.of(verdict.kind())));
      }
      line(ToyLog.Kind.TALLY, String.valueOf(Letters.of(verdict.kind())), String.valueOf(emitted));
    }

    private void remember(Event<Move> event, @Nullable String rejected) {
      if (event.id() != null) {
        long print = kernel.fingerprint(event.value());
        newIds.put(event.key() + ' ' + event.id(), new Remembered(print, rejected));
        line(
            ToyLog.Kind.IDS,
            event.key(),
            event.id(),
            String.valueOf(print),
            rejected == null ? "" : rejected);
      }
    }

    @Override
    public CompletableFuture<Position> commit(Position to, boolean unread) {
      if (!goesOn()) {
        return new CompletableFuture<>();
      }
      String partition = claim.partition();
      line(ToyLog.Kind.POSITION, partition, String.valueOf(to.offset()));
      for (Effect effect : order(effects)) {
        line(
            ToyLog.Kind.EFFECTS,
            effect.key(),
            effect.id(),
            String.valueOf(effect.seq()),
            String.valueOf(effect.amount()));
      }
      List<ToyLog.Part> parts = new ArrayList<>();
      lines.forEach((kind, all) -> parts.add(new ToyLog.Part(kind, all)));
      observer.begins(
          new Observation.Commit(
              partition,
              from.offset(),
              to.offset(),
              claim.epoch(),
              null,
              null,
              1,
              verdicts.toString()));
      commitAll(parts);
      judged.clear();
      observer.committed();
      return CompletableFuture.completedFuture(to);
    }

    @Override
    public void close() {
      judged.clear();
    }
  }
}
