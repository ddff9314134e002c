package dev.oncefold.verify;

import dev.oncefold.Counts;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of a history: something that was seen of a run, in the order in which it was seen. What
 * the input holds is told by whoever made it, never by the engine.
 *
 * <p>A history begins with {@link Begin} and ends with {@link End}. The format of the file is
 * described in {@code docs/history.md}.
 */
public sealed interface Observation {
  /**
   * What was run, and what it must have gone through to prove anything.
   *
   * @param engine the engine and its version, for a person
   * @param fold the name of the fold, with which the ids of its outputs begin
   * @param seed what the run was made from
   * @param model which model tells the effect of an event
   * @param spanMillis for how long ids are remembered; {@link #FOREVER} or {@link #NO_IDS}
   * @param conserved the sum of all keys' sums in every snapshot, for the model of transfers; null
   *     where nothing is conserved
   * @param needs what must have happened
   * @param about more for a person: versions, machine, date
   */
  record Begin(
      String engine,
      String fold,
      long seed,
      String model,
      long spanMillis,
      @Nullable Long conserved,
      Needs needs,
      Map<String, String> about)
      implements Observation {
    /** Ids are remembered for ever. */
    public static final long FOREVER = -1;

    /** Ids are not remembered: only positions protect. */
    public static final long NO_IDS = -2;
  }

  /**
   * Without these a run proves nothing.
   *
   * @param events how many events must be committed
   * @param kills how many processes must have died of a fault
   * @param openCommits how many of them inside an open commit
   * @param snapshots how many snapshots must have been compared
   * @param faults the faults of which each must have landed, such as {@code F2}
   */
  record Needs(long events, int kills, int openCommits, int snapshots, List<String> faults) {
    /** One event committed and one snapshot compared. */
    public static final Needs LEAST = new Needs(1, 0, 0, 1, List.of());

    /** Copies the list. */
    public Needs {
      faults = List.copyOf(faults);
    }
  }

  /**
   * Something stands in the input. It comes before the commit that covers it, and in the order of
   * its partition.
   *
   * @param partition the partition
   * @param at where it stands, and with {@code partition@at} its id where it has none
   * @param next where the next one stands
   * @param key its key; null where no event can be made of it
   * @param id its own id, or null
   * @param time its event time in epoch milliseconds, or null
   * @param payload what tells a re-send from a conflict: two events of one id conflict where it
   *     differs. Its form is the model's
   */
  record Input(
      String partition,
      long at,
      long next,
      @Nullable String key,
      @Nullable String id,
      @Nullable Long time,
      String payload)
      implements Observation {}

  /**
   * What the rules make of an event, as told by a model that was run beside: for the model {@code
   * recorded}. It comes before the commit of the event.
   *
   * @param partition the event's partition
   * @param at where it stands
   * @param before what was stored for the keys that it names: by this the model's run is known to
   *     be that of the history
   * @param effect what comes of it
   */
  record Judged(String partition, long at, List<Model.Change> before, Model.Effect effect)
      implements Observation {
    /** Copies the list. */
    public Judged {
      before = List.copyOf(before);
    }
  }

  /**
   * The engine committed a part of a partition. One line for each partition of a commit, in commit
   * order.
   *
   * @param partition the partition
   * @param from the position before it
   * @param to the position behind it
   * @param epoch the number of the claim under which it was committed
   * @param floor the greatest event time whose ids may have been forgotten, as of after the commit;
   *     null where it is as before
   * @param latest the greatest event time that was believed, by the clock; null where the clock
   *     plays no part
   * @param foldVersion the version of the fold that judged
   * @param verdicts one letter for each event: Applied, Rejected, Duplicate, Conflict, Expired,
   *     Failed; {@code ?} where the engine does not tell
   */
  record Commit(
      String partition,
      long from,
      long to,
      long epoch,
      @Nullable Long floor,
      @Nullable Long latest,
      int foldVersion,
      String verdicts)
      implements Observation {}

  /**
   * Somebody was told that everything of a partition before a position is committed.
   *
   * @param partition the partition
   * @param to the position
   */
  record Answered(String partition, long to) implements Observation {}

  /**
   * A partition has a new owner; nothing may be committed by an older one any more.
   *
   * @param partition the partition
   * @param epoch the number of the claim
   * @param position where the owner was told to go on
   */
  record Claimed(String partition, long epoch, long position) implements Observation {}

  /**
   * All that is stored, as read at one moment with nobody writing. The slots that changed since the
   * snapshot before follow, each in a {@link Slot}; the first one tells all slots.
   *
   * @param positions the position of each partition
   * @param counts the counts
   * @param floor the floor, or null where no id was forgotten or the engine does not tell
   * @param changed how many slots follow
   */
  record Snapshot(Map<String, Long> positions, Counts counts, @Nullable Long floor, int changed)
      implements Observation {}

  /**
   * A slot of the snapshot before.
   *
   * @param key the key
   * @param version its version; 0 where the key is gone
   * @param state its state in the form of the model; null where the key is gone
   */
  record Slot(String key, long version, @Nullable String state) implements Observation {
    /** Null goes with 0. */
    public Slot {
      if ((version == 0) != (state == null)) {
        throw new IllegalArgumentException("a slot has a state and a version, or neither");
      }
    }
  }

  /**
   * A query was answered while the engine ran.
   *
   * @param session who asked; it never sees anything older than it saw before
   * @param whole whether it was shown the slots of all keys
   * @param slots what it was shown, as of one moment
   */
  record Query(String session, boolean whole, List<Slot> slots) implements Observation {
    /** Copies the list. */
    public Query {
      slots = List.copyOf(slots);
    }
  }

  /**
   * An output was read where users would read it.
   *
   * @param reader who read; each reads every output once, from the beginning
   * @param name the name of the output
   * @param key the key of the event that emitted it
   * @param id the output's id
   * @param value its value, in the form of the model
   */
  record Output(String reader, String name, String key, String id, String value)
      implements Observation {}

  /**
   * A refusal was read where users would read it.
   *
   * @param reader who read
   * @param key the event's key; empty where no event could be made of it
   * @param id the event's id, or its position
   * @param verdict its verdict, as a letter: R, C, E or F
   */
  record Refusal(String reader, String key, String id, char verdict) implements Observation {}

  /**
   * A reader has read every output and every refusal of what is committed by now.
   *
   * @param reader the reader
   */
  record Complete(String reader) implements Observation {}

  /**
   * A fault of the schedule.
   *
   * @param fault which, as in {@code F2}
   * @param what what was done, for a person
   * @param landed whether it happened; one that did not proves nothing
   * @param killed whether a process died of it
   * @param openCommit whether a commit was open: its first byte was written, its answer was not
   *     there
   */
  record Fault(String fault, String what, boolean landed, boolean killed, boolean openCommit)
      implements Observation {}

  /**
   * What is stored was damaged, in a way that was written and answered before.
   *
   * @param what what was damaged, for a person
   */
  record Damaged(String what) implements Observation {}

  /**
   * The engine refused to go on, with an error.
   *
   * @param message the error
   */
  record Refused(String message) implements Observation {}

  /** What was damaged is as it was before. */
  record Repaired() implements Observation {}

  /** No more faults: from here on the engine has all the time that it needs to catch up. */
  record Calm() implements Observation {}

  /**
   * Everything was seen.
   *
   * @param observations how many observations stand before this one
   */
  record End(long observations) implements Observation {}
}
