package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Cutting records, in pieces as they may come, against a reference that has all bytes at once. */
class LinesTest {
  private static final String[] PARTS = {
    "a", "b", "\"", "\"", "\"\"", ",", ",", "\n", "\n", "\r\n", "\r", "\u00e9", "12345678", "\ufeff"
  };

  private static Format<String> format(int bound, boolean quoted) {
    Format<String> format = Format.<String>of((bytes, from, length) -> null).maxLine(bound);
    return quoted ? format.quoting('"', ',') : format;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String line(long at, long next, byte[] bytes, String wrong) {
    return at + "-" + next + " " + wrong + " " + Arrays.toString(bytes);
  }

  private static String kind(String wrong) {
    return wrong.contains("is never closed")
        ? "unclosed"
        : wrong.contains("may never be closed") ? "long, in quotes" : "long";
  }

  /** Feeds pieces of some size, and cuts all that can be cut after each; at last what is left. */
  private static List<String> cut(Format<String> format, byte[] in, Random pieces, int longest) {
    ByteArrayOutputStream passed = new ByteArrayOutputStream();
    Lines lines = new Lines(format, passed::write);
    List<String> records = new ArrayList<>();
    int fed = 0;
    while (true) {
      while (true) {
        boolean ready = lines.ready();
        assertThat(lines.next()).isEqualTo(ready);
        if (!ready) {
          break;
        }
        records.add(record(lines));
        assertThat(passed.size()).isEqualTo((int) lines.offset());
      }
      if (fed == in.length) {
        break;
      }
      int piece = Math.min(in.length - fed, 1 + pieces.nextInt(longest));
      assertThat(lines.fed()).isEqualTo(fed);
      lines.room().put(in, fed, piece);
      lines.filled(piece);
      fed += piece;
    }
    boolean rest = lines.hasRest();
    assertThat(lines.rest()).isEqualTo(rest);
    if (rest) {
      records.add(record(lines));
      assertThat(lines.rest()).isFalse();
      assertThat(passed.toByteArray()).isEqualTo(in);
    }
    return records;
  }

  private static String record(Lines lines) {
    String wrong = lines.wrong();
    return line(lines.at(), lines.offset(), lines.copy(), wrong == null ? "" : kind(wrong));
  }

  private static List<String> reference(byte[] in, int bound, boolean quoted) {
    List<String> records = new ArrayList<>();
    int at = 0;
    boolean mark = in.length > 2 && Arrays.equals(in, 0, 3, utf8("\ufeff"), 0, 3);
    while (at < in.length) {
      int body = at == 0 && mark ? 3 : at;
      if (body == in.length) {
        break;
      }
      int end = walk(in, body, in.length, quoted);
      boolean open = end < 0;
      end = open ? in.length : end;
      if (end - body > bound) {
        boolean longOpen = walk(in, body, body + bound + 1, quoted) < 0;
        int stop = body + bound;
        while (stop < in.length && in[stop] != '\n') {
          stop++;
        }
        int next = Math.min(stop + 1, in.length);
        byte[] begins = Arrays.copyOfRange(in, body, Math.min(stop, body + 1024));
        records.add(line(at, next, begins, longOpen ? "long, in quotes" : "long"));
        at = next;
      } else {
        int next = Math.min(end + 1, in.length);
        int text = end > body && in[end - 1] == '\r' ? end - 1 : end;
        records.add(line(at, next, Arrays.copyOfRange(in, body, text), open ? "unclosed" : ""));
        at = next;
      }
    }
    return records;
  }

  /** Where the record ends, a line feed or the limit; -1 where the limit comes inside quotes. */
  private static int walk(byte[] in, int body, int limit, boolean quoted) {
    int i = body;
    boolean fieldStarts = true;
    while (i < limit && in[i] != '\n') {
      if (quoted && fieldStarts && in[i] == '"') {
        i++;
        while (i < limit && (in[i] != '"' || (i + 1 < limit && in[i + 1] == '"'))) {
          i += in[i] == '"' ? 2 : 1;
        }
        if (i >= limit) {
          return -1;
        }
      }
      fieldStarts = in[i] == ',';
      i++;
    }
    return i;
  }

  @Property(tries = 4_000)
  void piecesDoNotMatter(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 40) int bound,
      @ForAll @IntRange(min = 1, max = 30) int longest,
      @ForAll boolean quoted) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder(random.nextInt(4) == 0 ? "\ufeff" : "");
    for (int n = random.nextInt(60); n > 0; n--) {
      text.append(PARTS[random.nextInt(PARTS.length)]);
    }
    byte[] in = utf8(text.toString());
    assertThat(cut(format(bound, quoted), in, random, longest))
        .isEqualTo(reference(in, bound, quoted));
  }

  /** Records of all lengths around those of the buffer and the bound. */
  @Property(tries = 60)
  void refillsDoNotMatter(@ForAll long seed, @ForAll boolean quoted) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder();
    while (text.length() < 600_000) {
      int length = random.nextInt(random.nextInt(4) == 0 ? 200_000 : 3_000);
      boolean quotes = random.nextBoolean();
      text.append(quotes ? "x,\"" : "x,");
      text.append((random.nextBoolean() ? "yyyy\n" : "zz\"\"z").repeat(length / 5));
      text.append(quotes && random.nextInt(8) > 0 ? "\"\n" : "\n");
    }
    byte[] in = utf8(text.toString());
    int bound = 50_000 + random.nextInt(100_000);
    assertThat(cut(format(bound, quoted), in, random, Lines.ROOM))
        .isEqualTo(reference(in, bound, quoted));
  }

  @Test
  void everyPlaceOfALineFeedIsFound() {
    for (int length = 0; length < 40; length++) {
      // Bytes that differ from a line feed in one bit only stand around it.
      byte[] in =
          utf8("\u000b\u0008\u000e\u0002\u001a".repeat(8).substring(0, length) + "\n\u000b\n");
      assertThat(cut(format(100, false), in, new Random(1), 100))
          .isEqualTo(reference(in, 100, false))
          .hasSize(2);
    }
  }

  @Test
  void theSameRecordIsAnsweredAgain() {
    Lines lines = new Lines(format(100, false), (bytes, from, length) -> {});
    byte[] in = utf8("one\ntwo\n");
    lines.room().put(in);
    lines.filled(in.length);
    assertThat(lines.next()).isTrue();
    lines.again();
    assertThat(lines.ready()).isTrue();
    assertThat(lines.next()).isTrue();
    assertThat(lines.copy()).isEqualTo(utf8("one"));
    assertThat(lines.next()).isTrue();
    assertThat(lines.copy()).isEqualTo(utf8("two"));
    assertThat(lines.next()).isFalse();
  }
}
