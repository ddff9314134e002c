package dev.oncefold;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where outputs and refusals leave a store for another system, each exactly once: the messages and
 * the position up to which they go are written there in one atomic step. The store keeps what it
 * committed until a sink has passed it.
 *
 * <p>Safe for use by several threads; a lane belongs to one.
 */
public interface Sink extends AutoCloseable {
  /** The position of a lane to which nothing was ever written. */
  long START = 0;

  /**
   * Whether messages of an output have somewhere to go. What would give it others asks when it is
   * made, so that it does not fail in the midst of a run.
   *
   * @param output the output's name; null for refusals
   * @return whether {@link Lane#write} takes them
   */
  default boolean takes(@Nullable String output) {
    return true;
  }

  /**
   * How large a message of an output may be. A store asks when it is opened, and an event that
   * emits a larger one is Failed: it would never leave, and nothing behind it in its lane.
   *
   * @param output the output's name; null for refusals
   * @return the limit; {@link Limit#NONE} unless there is one
   * @throws SinkException if the other system does not tell
   */
  default Limit limit(@Nullable String output) {
    return Limit.NONE;
  }

  /**
   * Takes a lane over: whoever had it open before is fenced, and can write nothing more.
   *
   * @param lane the lane's name, which identifies it in the other system for ever
   * @return the lane
   * @throws SinkException if that is not possible now; it may be tried again
   */
  Lane open(String lane);

  @Override
  void close();

  /** One sequence of messages, in order. Used by one thread. */
  interface Lane extends AutoCloseable {
    /**
     * How far the lane was written when it was opened, or by the last {@link #write}.
     *
     * @return the position given with the last messages, or {@link #START}
     */
    long position();

    /**
     * Writes messages and the position after them: all of it or nothing.
     *
     * @param messages the messages, in order; there may be none
     * @param position the position, which never falls
     * @throws FencedException if somebody else has opened the lane since: nothing was written
     * @throws SinkException if it failed, and perhaps was written all the same: close the lane,
     *     open it again, and its position tells
     */
    void write(List<Message> messages, long position);

    @Override
    void close();
  }

  /**
   * The most that one message may take.
   *
   * @param bytes key, id and value together, the texts as UTF-8
   * @param setting what says so, for a person
   */
  record Limit(long bytes, String setting) {
    /** No limit. */
    public static final Limit NONE = new Limit(Long.MAX_VALUE, "");

    /**
     * Why a message cannot be written.
     *
     * @param message the message
     * @return its size, and the setting that forbids it; null where it can be written
     */
    public @Nullable String exceededBy(Message message) {
      long texts = (long) message.key().length() + message.id().length();
      if (message.value().length + 3 * texts <= bytes) { // no character takes more
        return null;
      }
      long size =
          (long) message.value().length
              + message.key().getBytes(StandardCharsets.UTF_8).length
              + message.id().getBytes(StandardCharsets.UTF_8).length;
      return size <= bytes
          ? null
          : String.format(
              Locale.ROOT,
              "%s would take %,d bytes, and %s lets it have %,d at most",
              message.output() == null
                  ? "the refusal"
                  : "a message of the output \"" + message.output() + "\"",
              size,
              setting,
              bytes);
    }
  }

  /**
   * One message.
   *
   * @param output the name of the output; null for a refusal
   * @param key the key of the event
   * @param id unique for ever: the id of the output, or of the event refused
   * @param value the value, encoded
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared; copying each would cost too much
  record Message(@Nullable String output, String key, String id, byte[] value) {}
}
