package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.Outcome;
import java.sql.Connection;

/**
 * An update that is no fold: any SQL of the user's, in the transaction that also holds the event's
 * id, the position and the outputs. A {@link SqlStore} runs it.
 *
 * <pre>{@code
 * SqlUpdate<Order, Receipt> update =
 *     (connection, event) -> {
 *       try (PreparedStatement insert = connection.prepareStatement("insert into orders …")) {
 *         …
 *         insert.executeUpdate();
 *       }
 *       return SqlUpdate.accept(new Receipt(…));
 *     };
 * }</pre>
 *
 * <p>What the SQL has done is applied exactly once, or not at all: it is committed together with
 * the position, and a re-send never gets here. An update that throws or rejects leaves nothing
 * behind, and the other events of the batch go on. It may run more than once for an event, each
 * time after all it did before is undone; so all it does, it must do through the connection. What a
 * sequence of the database has given out is not undone.
 *
 * <p>Events are judged one after another, in the order of their partition; those of other
 * partitions may be judged at the same time, by other workers in transactions of their own at the
 * isolation level {@code READ COMMITTED}. What several partitions change is for the SQL to lock.
 *
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
@FunctionalInterface
public interface SqlUpdate<E, O> {
  /**
   * Judges one event and does what it is to do.
   *
   * <p>A constraint that the database checks only at commit is checked when the update returns. A
   * statement that failed dooms the event, whether or not the update catches the exception. A
   * deadlock, a serialization failure or a lost connection are no fault of the event: the batch is
   * judged again. A timeout that the update sets itself ({@link
   * java.sql.Statement#setQueryTimeout}) is an exception like any other.
   *
   * @param connection the batch's connection, of use until the update returns. To commit, to roll
   *     back, to close it, to change its settings or to get at the one behind it is refused, in SQL
   *     too; savepoints within the event are allowed, through the methods of the connection, and so
   *     is {@code SET LOCAL}, which holds for the rest of the batch. Its time zone is UTC
   * @param event the event
   * @return {@link #accept}, with outputs or without, or {@link Outcome#reject}; never null
   * @throws Exception any exception makes the event Failed, with nothing of it applied
   */
  Outcome<NoState, O> apply(Connection connection, Event<E> event) throws Exception;

  /**
   * Accepts the event.
   *
   * @param outputs values for the output {@link dev.oncefold.Output#DEFAULT}, in order
   * @param <O> the type of the outputs
   * @return the outcome; {@link Outcome.Accepted#emit} adds outputs of other names
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // Outcome.accept only reads them
  static <O> Outcome.Accepted<NoState, O> accept(O... outputs) {
    return Outcome.accept(NoState.NONE, outputs);
  }

  /** Stands where a fold has a key's state: what this update changes, only its SQL knows. */
  enum NoState {
    /** Always this. */
    NONE
  }
}
