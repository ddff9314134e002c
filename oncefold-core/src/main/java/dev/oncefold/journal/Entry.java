package dev.oncefold.journal;

import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One event of the journal, as it was judged.
 *
 * @param sequence the number of the event in the journal, from 1
 * @param committed when its commit was written, by the clock
 * @param foldVersion the version of the fold that judged it
 * @param verdict its verdict
 * @param reason why, where the verdict is not Applied; for a Duplicate, why the first delivery was
 *     rejected. Null where there is nothing to say
 * @param failure what kind of failure, where it Failed
 * @param floor the floor at or below which it Expired; null for every other verdict
 * @param key its key; null where it was undecodable, or a Duplicate in a journal without history
 * @param id its id, or {@code partition@offset} where it has none; null like the key
 * @param ownId whether the id is the event's own
 * @param time its event time, where it has one
 * @param value its value; null where it was undecodable, or where the journal keeps no history
 * @param raw what was read, where it was undecodable
 * @param changes the keys it changed
 * @param outputs what it emitted
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; a fresh copy for each entry
public record Entry<S, E, O>(
    long sequence,
    Instant committed,
    int foldVersion,
    Verdict.Kind verdict,
    @Nullable String reason,
    Verdict.@Nullable Cause failure,
    @Nullable Instant floor,
    @Nullable String key,
    @Nullable String id,
    boolean ownId,
    @Nullable Instant time,
    @Nullable E value,
    byte @Nullable [] raw,
    List<Change<S>> changes,
    List<Emitted<O>> outputs) {

  /**
   * Whether the event goes to the refusals.
   *
   * @return true for Rejected, Conflict, Expired and Failed
   */
  public boolean isRefusal() {
    return verdict != Verdict.Kind.APPLIED && verdict != Verdict.Kind.DUPLICATE;
  }

  private static final int MOST_TEXT = 4096;

  /**
   * The same without what the event was: for who has no room for it.
   *
   * @param why is told behind the reason
   * @return an entry without value, bytes, changes and outputs; the reason cut to 4,096 characters,
   *     and without key and id where these are longer
   */
  public Entry<S, E, O> withoutEvent(String why) {
    String first = reason == null ? "" : reason.substring(0, Math.min(reason.length(), MOST_TEXT));
    int texts = (key == null ? 0 : key.length()) + (id == null ? 0 : id.length());
    return new Entry<>(
        sequence,
        committed,
        foldVersion,
        verdict,
        first + (first.isEmpty() ? "" : " ") + "(without the event: " + why + ")",
        failure,
        floor,
        texts > MOST_TEXT ? null : key,
        texts > MOST_TEXT ? null : id,
        ownId,
        time,
        null,
        null,
        List.of(),
        List.of());
  }

  /**
   * What an event made of a key.
   *
   * @param key the key
   * @param slot what is stored for it afterwards, or null where it was deleted
   * @param <S> the type of the state
   */
  public record Change<S>(String key, @Nullable Slot<S> slot) {}
}
