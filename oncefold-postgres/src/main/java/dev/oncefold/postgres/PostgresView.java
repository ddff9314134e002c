package dev.oncefold.postgres;

import dev.oncefold.Counts;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The committed content of a fold in PostgreSQL at one point. Immutable; read without claiming
 * anything, so that workers go on meanwhile.
 *
 * @param counts the verdicts of all events so far
 * @param positions how far each input partition was applied
 * @param floor the greatest event time (epoch milliseconds) whose ids may have been forgotten; null
 *     where there is none
 * @param slots what is stored for each key that was asked for
 * @param <S> the type of one key's state
 */
public record PostgresView<S>(
    Counts counts,
    Map<String, Position> positions,
    @Nullable Long floor,
    Map<String, Slot<S>> slots) {}
