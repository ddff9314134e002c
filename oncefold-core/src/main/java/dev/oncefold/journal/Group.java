package dev.oncefold.journal;

import dev.oncefold.Encoder;
import dev.oncefold.Slot;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batches that become durable together: one frame, one fsync. Filled under the lock of {@link
 * GroupCommit}, then written by one thread.
 *
 * @param <S> the type of one key's state
 */
final class Group<S> {
  /** Told after the commit point, or that it was not reached. */
  interface Answer {
    void committed();

    void failed(JournalException failure);
  }

  final Encoder frame = new Encoder(1 << 16);
  final List<Answer> answers = new ArrayList<>();
  private final List<Memory.Cell<S>> cells = new ArrayList<>();
  private final List<@Nullable Slot<S>> slots = new ArrayList<>();
  private final List<String> deleted = new ArrayList<>();
  int events;
  long sequence;

  Group() {
    start(0);
  }

  /** Empties the group, to be filled again behind a sequence. */
  void start(long behind) {
    Frame.start(frame);
    answers.clear();
    cells.clear();
    slots.clear();
    deleted.clear();
    events = 0;
    sequence = behind;
  }

  boolean isEmpty() {
    return frame.length() == Frame.HEADER;
  }

  void change(String key, Memory.Cell<S> cell, @Nullable Slot<S> slot) {
    cells.add(cell);
    slots.add(slot);
    if (slot == null) {
      deleted.add(key);
    }
  }

  /** Shows the changes to those who read committed state. */
  void publish() {
    for (int i = 0; i < cells.size(); i++) {
      cells.get(i).committed = slots.get(i);
    }
  }

  /** The keys that were deleted at some point of the group. */
  List<String> deleted() {
    return deleted;
  }
}
