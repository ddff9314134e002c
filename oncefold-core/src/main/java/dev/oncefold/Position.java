package dev.oncefold;

/**
 * How far one input partition has been applied: everything before {@code offset}, nothing from it
 * on.
 *
 * @param offset where the next event is read, in the source's own unit (bytes of a file, records of
 *     a topic)
 * @param check a value by which the source knows its input again, such as a checksum of what stands
 *     before the offset; 0 where it has none
 */
public record Position(long offset, long check) {
  /** The beginning of every partition. */
  public static final Position START = new Position(0, 0);
}
