package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.verify.TraceModel.Trace;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What an engine is started with. It has a text form, for engines that run in a process of their
 * own.
 *
 * @param severalKeys whether the fold is one over several keys
 * @param version the fold's version; under version 2 and above amounts count that many times
 * @param ids for how long ids are remembered
 * @param whenFailed what is done with a Failed event
 * @param history whether {@link EngineFixture#history} will be asked
 * @param acceptChange whether to go on where another version of the fold left off; without, such a
 *     start is to be refused
 * @param partitions the names of all input partitions, also of those that nothing is fed to
 */
public record Setup(
    boolean severalKeys,
    int version,
    Fold.Ids ids,
    Fold.WhenFailed whenFailed,
    boolean history,
    boolean acceptChange,
    List<String> partitions) {
  /** Copies the list. */
  public Setup {
    partitions = List.copyOf(partitions);
  }

  static Setup remembering(Duration span) {
    return of(new Fold.Ids(Fold.Ids.Kind.SPAN, span, Long.MAX_VALUE));
  }

  static Setup rememberingForever() {
    return of(new Fold.Ids(Fold.Ids.Kind.FOREVER, Duration.ZERO, Long.MAX_VALUE));
  }

  static Setup rememberingNoIds() {
    return of(new Fold.Ids(Fold.Ids.Kind.NONE, Duration.ZERO, Long.MAX_VALUE));
  }

  private static Setup of(Fold.Ids ids) {
    return new Setup(false, 1, ids, Fold.WhenFailed.REFUSE, false, false, List.of());
  }

  Setup overSeveralKeys() {
    return new Setup(true, version, ids, whenFailed, history, acceptChange, partitions);
  }

  Setup version(int other) {
    return new Setup(severalKeys, other, ids, whenFailed, history, acceptChange, partitions);
  }

  Setup atMost(long bound) {
    Fold.Ids bounded = new Fold.Ids(ids.kind(), ids.span(), bound);
    return new Setup(severalKeys, version, bounded, whenFailed, history, acceptChange, partitions);
  }

  Setup whenFailed(Fold.WhenFailed what) {
    return new Setup(severalKeys, version, ids, what, history, acceptChange, partitions);
  }

  Setup withHistory() {
    return new Setup(severalKeys, version, ids, whenFailed, true, acceptChange, partitions);
  }

  Setup acceptingChange() {
    return new Setup(severalKeys, version, ids, whenFailed, history, true, partitions);
  }

  Setup partitions(List<String> names) {
    return new Setup(severalKeys, version, ids, whenFailed, history, acceptChange, names);
  }

  /** What an engine must be able to do to start with this. */
  Set<Capability> needs() {
    Set<Capability> needs =
        EnumSet.of(
            switch (ids.kind()) {
              case SPAN -> Capability.SPAN;
              case FOREVER -> Capability.FOREVER;
              case NONE -> Capability.NO_IDS;
            });
    if (severalKeys) {
      needs.add(Capability.SEVERAL_KEYS);
    }
    if (ids.atMost() != Long.MAX_VALUE) {
      needs.add(Capability.BOUND);
    }
    if (whenFailed == Fold.WhenFailed.STOP) {
      needs.add(Capability.STOP_WHEN_FAILED);
    }
    if (history) {
      needs.add(Capability.HISTORY);
    }
    if (acceptChange) {
      needs.add(Capability.ACCEPTED_CHANGE);
    }
    return needs;
  }

  /**
   * The fold to run.
   *
   * @return the fold
   */
  public Fold<Trace, Move, Receipt> fold() {
    return Bank.fold(this);
  }

  /**
   * The names of the outputs that the fold emits to.
   *
   * @return the names
   */
  public List<String> outputs() {
    return List.of(Output.DEFAULT, Bank.LARGE);
  }

  /**
   * Makes an event of a record of the input.
   *
   * @param record the record
   * @return the event
   * @throws IllegalArgumentException if the record is none: the event Failed
   */
  public Event<Move> decode(String record) {
    return Bank.decode(record);
  }

  /**
   * The text form.
   *
   * @return one line
   */
  public String text() {
    return Fields.join(
        severalKeys,
        version,
        ids.kind(),
        ids.span().toMillis(),
        ids.atMost(),
        whenFailed,
        history,
        acceptChange,
        Fields.join(partitions.toArray()));
  }

  /**
   * Reads the text form.
   *
   * @param text what {@link #text} made
   * @return the same setup
   * @throws IllegalArgumentException if it is something else
   */
  public static Setup of(String text) {
    List<String> fields = Fields.split(text);
    if (fields.size() != 9) {
      throw new IllegalArgumentException("no setup: " + text);
    }
    Fold.Ids ids =
        new Fold.Ids(
            Fold.Ids.Kind.valueOf(fields.get(2)),
            Duration.ofMillis(Long.parseLong(fields.get(3))),
            Long.parseLong(fields.get(4)));
    return new Setup(
        Boolean.parseBoolean(fields.get(0)),
        Integer.parseInt(fields.get(1)),
        ids,
        Fold.WhenFailed.valueOf(fields.get(5)),
        Boolean.parseBoolean(fields.get(6)),
        Boolean.parseBoolean(fields.get(7)),
        Fields.split(fields.get(8)));
  }
}
