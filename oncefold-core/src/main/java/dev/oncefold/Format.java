package dev.oncefold;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Where the records of an input end, and what is made of them.
 *
 * @param quote the byte that opens and closes quotes; -1 where there are none
 * @param delimiter the byte between the fields, where there are quotes
 * @param header whether the first record is no event
 */
record Format<E>(
    FileSource.BytesDecoding<E> decoding, int maxLine, int quote, int delimiter, boolean header) {

  static <E> Format<E> of(FileSource.BytesDecoding<E> decoding) {
    return new Format<>(decoding, FileSource.DEFAULT_MAX_LINE, -1, -1, false);
  }

  Format<E> maxLine(int bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("a line has at least one byte, not " + bytes);
    }
    return new Format<>(decoding, bytes, quote, delimiter, header);
  }

  Format<E> quoting(char newQuote, char newDelimiter) {
    ascii("quote", newQuote);
    ascii("delimiter", newDelimiter);
    if (newQuote == newDelimiter) {
      throw new IllegalArgumentException(
          "the quote and the delimiter are both '" + newQuote + "': choose two characters");
    }
    return new Format<>(decoding, maxLine, newQuote, newDelimiter, header);
  }

  private static void ascii(String what, char c) {
    if (c > 127 || c == '\n' || c == '\r') {
      throw new IllegalArgumentException(
          String.format(
              "the %s must be an ASCII character that ends no line, not U+%04X", what, (int) c));
    }
  }

  Format<E> withHeader() {
    return new Format<>(decoding, maxLine, quote, delimiter, true);
  }

  Format<E> in(Charset charset) {
    if (!(decoding instanceof Text<E> text)) {
      throw new IllegalStateException(
          "this source decodes bytes, and has no encoding to set: let its decoding read "
              + charset);
    }
    return new Format<>(new Text<>(text.of(), charset), maxLine, quote, delimiter, header);
  }

  /** What the record that was cut is; null where it is no event. */
  @Nullable Received<E> received(Lines lines, long at, Position next) {
    String wrong = lines.wrong();
    if (wrong != null) {
      return Received.undecodable(at, next, wrong, lines.copy());
    }
    Event<E> event;
    try {
      event = decoding.decode(lines.bytes(), lines.from(), lines.length());
    } catch (Exception e) {
      return Received.undecodable(
          at, next, e.getMessage() == null ? e.toString() : e.getMessage(), lines.copy());
    }
    return event == null ? null : Received.of(at, next, event);
  }

  /** Makes text of the bytes; malformed bytes are an error, never a '?'. */
  record Text<E>(FileSource.Decoding<E> of, Charset charset)
      implements FileSource.BytesDecoding<E> {
    @Override
    public @Nullable Event<E> decode(byte[] bytes, int from, int length) throws Exception {
      return of.decode(text(bytes, from, length));
    }

    private String text(byte[] bytes, int from, int length) {
      if (charset.equals(StandardCharsets.UTF_8)) {
        boolean ascii = true;
        for (int i = from; i < from + length && ascii; i++) {
          ascii = bytes[i] >= 0;
        }
        if (ascii) {
          return new String(bytes, from, length, StandardCharsets.ISO_8859_1);
        }
      }
      try {
        return charset.newDecoder().decode(ByteBuffer.wrap(bytes, from, length)).toString();
      } catch (CharacterCodingException e) {
        throw new IllegalArgumentException(
            "the line is not in " + charset + "; say which encoding the file has", e);
      }
    }
  }
}
