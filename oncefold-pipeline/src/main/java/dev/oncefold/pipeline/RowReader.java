package dev.oncefold.pipeline;

import dev.oncefold.FileSource;
import dev.oncefold.Row;
import org.jspecify.annotations.Nullable;

/** Makes a row of one record of a source. Used by one thread at a time. */
interface RowReader {
  /**
   * Reads a record.
   *
   * @return the row; null where the record is none, such as an empty line
   * @throws Exception if it cannot be read; the message says why
   */
  @Nullable Row read(byte[] bytes, int from, int length) throws Exception;

  /** The decoding of a source whose events are made by a mapping. */
  default FileSource.BytesDecoding<Row> with(Mapping mapping) {
    return (bytes, from, length) -> {
      Row row = read(bytes, from, length);
      return row == null ? null : mapping.event(row);
    };
  }
}
