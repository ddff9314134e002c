package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import org.jspecify.annotations.Nullable;

/** What PostgreSQL takes as text: no NUL, and no half of a surrogate pair. */
final class Text {
  private Text() {}

  /** Whether the database can hold it exactly. */
  static boolean isStorable(String text) {
    return firstBad(text) < 0;
  }

  /** The place of the first character that cannot be stored, or -1. */
  private static int firstBad(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        return i;
      }
      if (Character.isSurrogate(c)) {
        if (Character.isLowSurrogate(c)
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          return i;
        }
        i++;
      }
    }
    return -1;
  }

  /**
   * The text itself.
   *
   * @throws CodecException if it cannot be stored
   */
  static String checked(String what, String text) {
    int bad = firstBad(text);
    if (bad >= 0) {
      throw new CodecException(
          String.format(
              "%s \"%s\" cannot be text in PostgreSQL: at %d it has the character U+%04X",
              what, shown(text), bad, (int) text.charAt(bad)));
    }
    return text;
  }

  /** For eyes only: with marks for what cannot be stored. */
  static @Nullable String shownOrNull(@Nullable String text) {
    return text == null ? null : shown(text);
  }

  /** For eyes only: with marks for what cannot be stored. */
  static String shown(String text) {
    if (firstBad(text) < 0) {
      return text;
    }
    StringBuilder shown = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        shown.append(c).append(text.charAt(++i));
      } else {
        shown.append(c == 0 || Character.isSurrogate(c) ? '\ufffd' : c);
      }
    }
    return shown.toString();
  }
}
