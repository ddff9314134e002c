package dev.oncefold.verify;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The observations that prove a broken rule, as lines of the history. */
final class Witness implements Consumer<Observation> {
  private final long last;
  private final @Nullable String key;
  private final int most;
  private final Deque<String> lines = new ArrayDeque<>();
  private long line;

  /**
   * Looks for a witness.
   *
   * @param last the observation that breaks the rule
   * @param key the key that shows it, or null
   * @param most how many observations before it
   */
  Witness(long last, @Nullable String key, int most) {
    this.last = last;
    this.key = key;
    this.most = most;
  }

  @Override
  public void accept(Observation observation) {
    line++;
    if (line == last || concerns(observation)) {
      if (lines.size() > most) {
        lines.remove();
      }
      lines.add(HistoryLine.write(line, observation));
    }
    if (line == last) {
      throw new Checker.Enough();
    }
  }

  private boolean concerns(Observation observation) {
    if (observation instanceof Observation.Fault
        || observation instanceof Observation.Damaged
        || observation instanceof Observation.Refused
        || observation instanceof Observation.Repaired) {
      return true;
    } else if (observation instanceof Observation.Input input) {
      return isKey(input.key() == null ? Walk.noKey(input.partition()) : input.key());
    } else if (observation instanceof Observation.Judged judged) {
      return judged.effect().changes().stream().anyMatch(change -> isKey(change.key()));
    } else if (observation instanceof Observation.Slot slot) {
      return isKey(slot.key());
    } else if (observation instanceof Observation.Output output) {
      return isKey(output.key());
    } else if (observation instanceof Observation.Refusal refusal) {
      return isKey(Walk.refusalKey(refusal.key(), refusal.id()));
    } else if (observation instanceof Observation.Query query) {
      return query.slots().stream().anyMatch(slot -> isKey(slot.key()));
    }
    return key == null
        && (observation instanceof Observation.Commit
            || observation instanceof Observation.Answered
            || observation instanceof Observation.Claimed
            || observation instanceof Observation.Snapshot);
  }

  private boolean isKey(@Nullable String other) {
    return other != null && other.equals(key);
  }

  List<String> lines() {
    return List.copyOf(lines);
  }
}
