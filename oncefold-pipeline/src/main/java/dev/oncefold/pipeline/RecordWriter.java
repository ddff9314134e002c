package dev.oncefold.pipeline;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes records as a source has them: what a {@link RowReader} reads. */
interface RecordWriter {
  /**
   * A record with some of its fields replaced.
   *
   * @param record a record that can be read, without its line end; null for one that has no fields
   * @param values the new values by field; null for one that is missing
   * @return the record, without a line end
   */
  byte[] with(byte @Nullable [] record, Map<String, @Nullable Object> values);

  /** Records that no event can be made of. */
  List<byte[]> unreadable();

  /** What stands in front of all records, without a line end; null for nothing. */
  byte @Nullable [] header();

  /** Whether a text can be written. */
  boolean takes(String text);
}
