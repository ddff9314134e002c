package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.Position;
import dev.oncefold.journal.View;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Holds what the journal and its sinks hold against the {@link Reference}.
 *
 * <p>An effect is a change of an account, a line of the receipts, or a line of the refusals. It is
 * lost if it is not there, and doubled for each time it is there too often.
 */
final class Comparison {
  private static final int SHOWN = 5;

  private final Reference expected;
  private final List<String> shown = new ArrayList<>();
  private long differences;
  private long lost;
  private long doubled;

  Comparison(Reference expected) {
    this.expected = expected;
  }

  /** How many expected effects are not there. */
  long lost() {
    return lost;
  }

  /** How many effects are there once more than expected. */
  long doubled() {
    return doubled;
  }

  /** How many differences there are, of every sort. */
  long differences() {
    return differences;
  }

  /** The first of the differences, as a person would tell them. */
  List<String> shown() {
    return shown;
  }

  private void differs(String how) {
    differences++;
    if (shown.size() < SHOWN) {
      shown.add(how);
    }
  }

  /** Compares what is committed after all events: every count and every account. */
  void end(View<Account> view, String partition) {
    compare("", view, partition);
    for (String name : names(view)) {
      Account account = expected(name);
      Account actual = actual(view, name);
      lost += Math.max(0, account.payments() - actual.payments());
      doubled += Math.max(0, actual.payments() - account.payments());
    }
  }

  /** Compares what is committed after a kill, with what should be at the position it names. */
  void recoveryPoint(int kill, View<Account> view, String partition) {
    String when = "after kill " + kill + " ";
    long offset = view.positions().getOrDefault(partition, Position.START).offset();
    if (offset < expected.offset()) {
      differs(when + "the position is " + offset + ", and it was " + expected.offset());
      return;
    }
    expected.readTo(offset);
    compare(when, view, partition);
  }

  /** Compares where the worker went on after a kill with what it had answered before. */
  void resumed(int kill, long from, long answered, long handed) {
    if (from < answered || from > handed) {
      differs(
          "after kill "
              + kill
              + " the worker went on at "
              + from
              + ", but everything up to "
              + answered
              + " was answered and up to "
              + handed
              + " read");
    }
  }

  private void compare(String when, View<Account> view, String partition) {
    Position position = view.positions().getOrDefault(partition, Position.START);
    number(when + "the position in " + partition, expected.offset(), position.offset());
    Counts counts = view.counts();
    number(when + "the count of events", expected.events, counts.events());
    number(when + "the count of applied", expected.applied, counts.applied());
    number(when + "the count of duplicates", expected.duplicates, counts.duplicates());
    number(when + "the count of conflicts", expected.conflicts, counts.conflicts());
    number(when + "the count of rejected", expected.rejected, counts.rejected());
    number(when + "the count of expired", expected.expired, counts.expired());
    number(when + "the count of failed", expected.failed, counts.failed());
    number(when + "the count of outputs", expected.receipts.size(), counts.outputs());
    for (String name : names(view)) {
      Account account = expected(name);
      Account actual = actual(view, name);
      if (!account.equals(actual)) {
        differs(when + name + " is " + actual + ", not " + account);
      }
    }
  }

  private Set<String> names(View<Account> view) {
    Set<String> names = new LinkedHashSet<>(expected.accounts.keySet());
    names.addAll(view.slots().keySet());
    return names;
  }

  private Account expected(String name) {
    Reference.Expected should = expected.accounts.get(name);
    return should == null ? Account.NEW : new Account(should.cents, should.payments, should.trail);
  }

  private static Account actual(View<Account> view, String name) {
    Account is = view.state(name);
    return is == null ? Account.NEW : is;
  }

  private void number(String what, long expected, long actual) {
    if (expected != actual) {
      differs(what + " is " + actual + ", not " + expected);
    }
  }

  /** Compares the lines of the receipts and the refusals after all events. */
  void end(Path receipts, Path refusals) throws IOException {
    // A receipt's line begins with its id; a payment may be refused once for each reason.
    compare(expected.receipts, receipts, line -> line.substring(0, Math.max(0, line.indexOf(','))));
    compare(expected.refusals, refusals, line -> line);
  }

  private void compare(List<String> should, Path file, UnaryOperator<String> id)
      throws IOException {
    List<String> is =
        Files.exists(file) ? Files.readAllLines(file, StandardCharsets.UTF_8) : List.of();
    int first = 0;
    while (first < Math.min(should.size(), is.size()) && should.get(first).equals(is.get(first))) {
      first++;
    }
    if (first == should.size() && first == is.size()) {
      return;
    }
    differs(
        file.getFileName()
            + " has in line "
            + (first + 1)
            + ' '
            + quoted(is, first)
            + ", not "
            + quoted(should, first));
    count(should, is, id, String.valueOf(file.getFileName()));
  }

  private void count(List<String> should, List<String> is, UnaryOperator<String> id, String file) {
    Map<String, Integer> missing = new LinkedHashMap<>();
    should.forEach(line -> missing.merge(id.apply(line), 1, Integer::sum));
    Set<String> known = Set.copyOf(missing.keySet());
    is.forEach(line -> missing.merge(id.apply(line), -1, Integer::sum));
    missing.forEach(
        (what, times) -> {
          if (times > 0) {
            lost += times;
            differs(file + " lacks " + what);
          } else if (times < 0 && known.contains(what)) {
            doubled -= times;
            differs(file + " has " + what + " more than once");
          } else if (times < 0) {
            differs(file + " has " + what + ", which should not be there");
          }
        });
  }

  private static String quoted(List<String> lines, int at) {
    return at < lines.size() ? '"' + lines.get(at) + '"' : "nothing";
  }
}
