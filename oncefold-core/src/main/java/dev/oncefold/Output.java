package dev.oncefold;

import java.util.Objects;

/**
 * A value that an accepted event emits, addressed to a named output.
 *
 * @param name the output's name; {@link #DEFAULT} unless the update named another
 * @param value the value
 * @param <O> the type of the value
 */
public record Output<O>(String name, O value) {
  /** The name of outputs that the update did not name. */
  public static final String DEFAULT = "outputs";

  public Output {
    Objects.requireNonNull(name, "an output needs a name");
    Objects.requireNonNull(value, "an output needs a value");
  }

  /**
   * The id of an output: {@code fold/key/event id/n}, with {@code %} and {@code /} inside the parts
   * escaped as {@code %25} and {@code %2F}, so that different outputs never share an id. It is
   * ready to be the event id of another fold.
   *
   * @param fold the fold's name
   * @param key the event's key
   * @param eventId the event's id
   * @param n the place of the output among those of its event, from 0
   * @return the id
   */
  public static String id(String fold, String key, String eventId, int n) {
    return escaped(fold) + '/' + escaped(key) + '/' + escaped(eventId) + '/' + n;
  }

  /**
   * The id of an output of an event without an id of its own, which goes by where it was read: that
   * of {@code partition@offset}, made at once.
   *
   * @param fold the fold's name
   * @param key the event's key
   * @param partition the partition's name
   * @param offset where the event stands in it
   * @param n the place of the output among those of its event, from 0
   * @return the id
   */
  public static String id(String fold, String key, String partition, long offset, int n) {
    return escaped(fold) + '/' + escaped(key) + '/' + escaped(partition) + '@' + offset + '/' + n;
  }

  private static String escaped(String part) {
    if (part.indexOf('/') < 0 && part.indexOf('%') < 0) {
      return part;
    }
    return part.replace("%", "%25").replace("/", "%2F");
  }
}
