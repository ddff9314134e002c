package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.testkit.Step.Expectation;
import dev.oncefold.testkit.Step.Fate;
import dev.oncefold.testkit.Step.Line;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Scenarios as tables that read as sentences: one event or one command a line, and behind two
 * spaces or more what it is expected to come to. Day 1 lies in the past of every clock. A line that
 * is none of the sentences is an error.
 */
final class Script {
  static final LocalDate DAY_1 = LocalDate.of(2024, 3, 1);

  private static final String NAME = "(\"[^\"]*\"|[^\\s\",:]+)";
  private static final String ID = "(?: (?!of )" + NAME + ")?";
  private static final String WHEN =
      "(?: at (\\d\\d:\\d\\d)| on day (\\d+)(?: at (\\d\\d:\\d\\d))?| in the year (\\d{4}))?";
  private static final String MEMO = "(?: with a memo of (\\d+) letters)?";

  private static final Pattern EVENT =
      Pattern.compile(
          "(?:(\\d+) )?(deposit|withdraw|transfer|close|break)s?"
              + ID
              + " of (?:(\\d+) (?:to|from) )?"
              + NAME
              + "(?: to "
              + NAME
              + ")?"
              + WHEN
              + MEMO);
  private static final Pattern FED = Pattern.compile("([a-z]\\w*): (.*)");
  private static final Pattern CRASH =
      Pattern.compile("crash(?: once (\\d+) events are committed)?");
  private static final Pattern RESTART =
      Pattern.compile("restart(?: with version (\\d+)( accepted)?)?");
  private static final Pattern STATE =
      Pattern.compile("state " + NAME + " (?:none|(-?\\d+), (\\d+) events?(?:, version (\\d+))?)");
  private static final Pattern COUNT =
      Pattern.compile("(\\d+) (applied|rejected|duplicates?|conflicts?|expired|failed|outputs?)");
  private static final Pattern OUTPUT =
      Pattern.compile("output " + NAME + " " + NAME + " of " + NAME + " (-?\\d+)");
  private static final Pattern OUTPUTS = Pattern.compile("(\\d+) outputs " + NAME);
  private static final Pattern PAST = Pattern.compile(NAME + " ([a-z]+(?:: [^,]+)?)(?: (-?\\d+))?");

  private final List<Step> steps = new ArrayList<>();
  private final TreeSet<String> partitions = new TreeSet<>();
  // Of each key and id; and how many events have none, under the empty list.
  private final Map<List<String>, Long> numbers = new HashMap<>();

  private Script() {}

  /**
   * Reads a table.
   *
   * @throws IllegalArgumentException naming the first line that is wrong, and what was expected
   */
  static Script of(String table) {
    Script script = new Script();
    String[] lines = table.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isBlank()) {
        script.steps.add(script.step(new Line(i + 1, lines[i].strip())));
      }
    }
    if (script.steps.isEmpty()) {
      throw new IllegalArgumentException("the table is empty: write a sentence a line");
    }
    return script;
  }

  List<Step> steps() {
    return steps;
  }

  /** The partitions that are fed. */
  List<String> partitions() {
    return List.copyOf(partitions);
  }

  private Step step(Line at) {
    String[] columns = at.text().split(" {2,}", -1);
    if (columns.length > 2) {
      throw wrong(at, "a sentence and, behind two spaces or more, what comes of it");
    }
    String sentence = columns[0];
    String result = columns.length == 2 ? columns[1] : "";
    Matcher fed = FED.matcher(sentence);
    if (fed.matches()) {
      partitions.add(fed.group(1));
      return new Step.Feed(at, fed.group(1), fed(at, fed.group(1), fed.group(2), result));
    }
    Matcher restart = RESTART.matcher(sentence);
    if (restart.matches()) {
      boolean refused = result.equals("refused");
      if (!refused && !result.isEmpty()) {
        throw wrong(at, "\"refused\" or nothing");
      }
      Long version = number(restart.group(1));
      return new Step.Restart(
          at, version == null ? null : version.intValue(), restart.group(2) != null, refused);
    }
    if (sentence.equals("restart refusing")) {
      return new Step.Refusing(
          at, Arrays.stream(result.split(", ", -1)).map(each -> expectation(at, each)).toList());
    }
    Step command = command(at, sentence);
    if (!result.isEmpty()) {
      throw wrong(at, "nothing behind this sentence");
    }
    return command;
  }

  private Step command(Line at, String sentence) {
    if (sentence.equals("settle")) {
      return new Step.Settle(at);
    }
    if (sentence.equals("second owner")) {
      return new Step.Second(at);
    }
    Matcher crash = CRASH.matcher(sentence);
    if (crash.matches()) {
      return new Step.Crash(at, number(crash.group(1)));
    }
    Matcher state = STATE.matcher(sentence);
    if (state.matches()) {
      String key = name(state.group(1));
      return state.group(2) == null
          ? new Step.NoState(at, key)
          : new Step.State(
              at,
              key,
              Long.parseLong(state.group(2)),
              Long.parseLong(state.group(3)),
              number(state.group(4)));
    }
    if (sentence.startsWith("counts ")) {
      return new Step.Total(at, counts(at, sentence.substring("counts ".length())));
    }
    Matcher output = OUTPUT.matcher(sentence);
    if (output.matches()) {
      return new Step.HasOutput(
          at,
          name(output.group(1)),
          name(output.group(2)),
          name(output.group(3)),
          Long.parseLong(output.group(4)));
    }
    Matcher outputs = OUTPUTS.matcher(sentence);
    if (outputs.matches()) {
      return new Step.Outputs(at, name(outputs.group(2)), Long.parseLong(outputs.group(1)));
    }
    if (sentence.startsWith("history ")) {
      return history(at, sentence.substring("history ".length()));
    }
    throw wrong(
        at,
        "\"PARTITION: EVENT\", settle, crash, restart, second owner, state, counts, output,"
            + " \"N outputs NAME\" or history");
  }

  // ---------------------------------------------------------------- events

  private List<Step.Fed> fed(Line at, String partition, String sentence, String result) {
    if (sentence.equals("nothing")) {
      if (!result.isEmpty()) {
        throw wrong(at, "nothing behind \"nothing\"");
      }
      return List.of();
    }
    Matcher event = EVENT.matcher(sentence);
    if (sentence.equals("garbage")) {
      return List.of(new Step.Fed(at, partition, "garbage", null, expectation(at, result)));
    }
    if (!event.matches()) {
      throw wrong(
          at,
          "\"nothing\", \"garbage\" or an event, such as \"deposit e1 of 10 to alice at 09:00\","
              + " \"withdraw e2 of 5 from alice on day 2\", \"transfer e3 of 5 from alice to bob\","
              + " \"close e4 of alice\", \"break e5 of alice\", \"100 deposits e of 1 to alice\"");
    }
    Expectation expected = expectation(at, result);
    String id = event.group(3) == null ? null : name(event.group(3));
    long times = event.group(1) == null ? 1 : Long.parseLong(event.group(1));
    List<Step.Fed> records = new ArrayList<>();
    for (long i = 1; i <= times; i++) {
      String own = id == null || event.group(1) == null ? id : id + i;
      Event<Move> made = event(at, event, own);
      records.add(new Step.Fed(at, partition, Bank.encode(made), made, expected));
    }
    return records;
  }

  private Event<Move> event(Line at, Matcher event, @Nullable String id) {
    Move.Kind kind = Move.Kind.valueOf(event.group(2).toUpperCase(Locale.ROOT));
    boolean moves = kind != Move.Kind.CLOSE && kind != Move.Kind.BREAK;
    if (moves != (event.group(4) != null)
        || (kind == Move.Kind.TRANSFER) != (event.group(6) != null)) {
      throw wrong(at, "an amount where something is moved, and two accounts for a transfer");
    }
    String key = name(event.group(5));
    // A re-send has the number of the first delivery; an event without an id is no re-send.
    long seq =
        id == null
            ? numbers.merge(List.of(), 1L, Long::sum) + (1L << 32)
            : numbers.computeIfAbsent(List.of(key, id), k -> numbers.size() + 1L);
    Move move =
        new Move(
            kind,
            key,
            event.group(6) == null ? "" : name(event.group(6)),
            moves ? Long.parseLong(event.group(4)) : 0,
            seq,
            event.group(11) == null ? "" : "m".repeat(Integer.parseInt(event.group(11))));
    return new Event<>(id, key, time(event), move);
  }

  private static @Nullable Instant time(Matcher event) {
    String hour = event.group(7) != null ? event.group(7) : event.group(9);
    if (event.group(10) != null) {
      return LocalDate.of(Integer.parseInt(event.group(10)), 1, 1)
          .atStartOfDay()
          .toInstant(ZoneOffset.UTC);
    }
    if (hour == null && event.group(8) == null) {
      return null;
    }
    long day = event.group(8) == null ? 1 : Long.parseLong(event.group(8));
    return DAY_1
        .plusDays(day - 1)
        .atTime(hour == null ? LocalTime.MIDNIGHT : LocalTime.parse(hour))
        .toInstant(ZoneOffset.UTC);
  }

  private static Expectation expectation(Line at, String result) {
    int colon = result.indexOf(": ");
    String fate = colon < 0 ? result : result.substring(0, colon);
    for (Fate each : Fate.values()) {
      if (each.name().toLowerCase(Locale.ROOT).equals(fate)) {
        return new Expectation(each, colon < 0 ? "" : result.substring(colon + 2));
      }
    }
    throw wrong(
        at,
        "behind two spaces or more what the event comes to: applied, \"rejected: REASON\","
            + " duplicate, conflict, expired, \"failed: REASON\", \"stops: REASON\" or unread");
  }

  // ---------------------------------------------------------------- what is compared

  private static Counts counts(Line at, String text) {
    long[] counts = new long[7];
    for (String each : text.split(", ", -1)) {
      Matcher count = COUNT.matcher(each);
      if (!count.matches()) {
        throw wrong(at, "counts such as \"2 applied, 1 rejected, 3 duplicates, 4 outputs\"");
      }
      int place =
          switch (count.group(2)) {
            case "applied" -> 0;
            case "rejected" -> 1;
            case "duplicate", "duplicates" -> 2;
            case "conflict", "conflicts" -> 3;
            case "expired" -> 4;
            case "failed" -> 5;
            default -> 6;
          };
      counts[place] = Long.parseLong(count.group(1));
    }
    return new Counts(counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6]);
  }

  private static Step.History history(Line at, String text) {
    int colon = text.indexOf(": ");
    if (colon < 0) {
      throw wrong(at, "\"history KEY: ID VERDICT, ID VERDICT, …\"");
    }
    List<Step.Past> events = new ArrayList<>();
    for (String each : text.substring(colon + 2).split(", ", -1)) {
      Matcher past = PAST.matcher(each);
      if (!past.matches()) {
        throw wrong(at, "an event such as \"e1 applied 10\" or \"e2 rejected: reason\": " + each);
      }
      events.add(
          new Step.Past(
              name(past.group(1)), expectation(at, past.group(2)), number(past.group(3))));
    }
    return new Step.History(at, name(text.substring(0, colon)), events);
  }

  private static String name(String token) {
    return token.startsWith("\"") ? token.substring(1, token.length() - 1) : token;
  }

  private static @Nullable Long number(@Nullable String digits) {
    return digits == null ? null : Long.valueOf(digits);
  }

  private static IllegalArgumentException wrong(Line at, String expected) {
    return new IllegalArgumentException(at + "\nexpected " + expected);
  }
}
