package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Fold;
import dev.oncefold.Slot;
import dev.oncefold.testkit.Step.Fate;
import dev.oncefold.testkit.Step.Fed;
import dev.oncefold.testkit.Step.Line;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Plays a {@link Script} on an engine. Events of one partition that follow each other are fed
 * together; whenever the table turns to another partition, or to anything else, what was fed before
 * is judged and compared first. While the engine is down it is only fed.
 */
final class Scenario {
  private static final List<String> ENGINES =
      List.of("embedded", "PostgreSQL", "Kafka Streams", "Flink");

  private final EngineFixture engine;
  private final Script script;
  private final Ledger ledger;
  // To be fed together with what follows; then fed, and not known to be judged; then not judged
  // since the engine stopped.
  private final List<Fed> toFeed = new ArrayList<>();
  private final List<Fed> fed = new ArrayList<>();
  private final List<Fed> unread = new ArrayList<>();
  private Setup setup;
  private boolean up;

  private Scenario(EngineFixture engine, Setup setup, Script script) {
    this.engine = engine;
    this.script = script;
    this.ledger = new Ledger(setup.ids());
    this.setup = setup.partitions(script.partitions());
  }

  /** Plays a table; throws an AssertionError where the engine does something else. */
  static void play(EngineFixture engine, Setup setup, String table) throws Exception {
    new Scenario(engine, setup, Script.of(table)).play();
  }

  private void play() throws Exception {
    Set<Capability> lacking = setup.needs();
    lacking.retainAll(engine.lacks());
    if (!lacking.isEmpty()) {
      checkThatItRefuses(lacking);
      return;
    }
    engine.start(setup);
    up = true;
    Line last = null;
    for (Step step : script.steps()) {
      last = step.at();
      take(step);
    }
    if (last != null) {
      settle(last);
      compareStates(last);
    }
  }

  private void checkThatItRefuses(Set<Capability> lacking) {
    String message;
    try {
      engine.start(setup);
      message = null;
    } catch (IllegalArgumentException | UnsupportedOperationException e) {
      message = String.valueOf(e.getMessage());
    } catch (Exception e) {
      throw new AssertionError(
          "the engine lacks " + lacking + " and refused with " + e + ", which is no refusal", e);
    }
    if (message == null) {
      throw new AssertionError(
          "the engine lacks " + lacking + ", but starts with a setup that needs it: " + setup);
    }
    if (ENGINES.stream().noneMatch(message::contains)) {
      throw new AssertionError(
          "the engine lacks "
              + lacking
              + " and says so without naming one of the engines that can, "
              + ENGINES
              + ": "
              + message);
    }
  }

  private void take(Step step) throws Exception {
    if (step instanceof Step.Feed feed) {
      feed(feed);
      return;
    }
    if (step instanceof Step.Crash crash) {
      flush();
      crash(crash);
    } else if (step instanceof Step.Restart restart) {
      flush();
      restart(restart);
    } else if (step instanceof Step.Refusing refusing) {
      flush();
      refusing(refusing);
    } else if (step instanceof Step.Second second) {
      flush();
      String refused = engine.second();
      check(refused == null || !refused.isBlank(), second.at(), "refused without a reason");
    } else {
      settle(step.at());
      look(step);
    }
  }

  // ---------------------------------------------------------------- what is done

  private void feed(Step.Feed feed) throws Exception {
    boolean other = !toFeed.isEmpty() && !toFeed.get(0).partition().equals(feed.partition());
    if (other) {
      flush();
    }
    if (up && fed.stream().anyMatch(each -> !each.partition().equals(feed.partition()))) {
      settle(feed.at());
    }
    if (feed.records().isEmpty()) {
      flush();
      engine.feed(feed.partition(), List.of());
    }
    toFeed.addAll(feed.records());
  }

  private void flush() throws Exception {
    if (!toFeed.isEmpty()) {
      engine.feed(toFeed.get(0).partition(), toFeed.stream().map(Fed::record).toList());
      fed.addAll(toFeed);
      toFeed.clear();
      checkOrder();
    }
  }

  /** While the engine is down, partitions are fed in no order; then no key may be in two. */
  private void checkOrder() {
    Map<String, Fed> partitions = new HashMap<>();
    for (Fed each : fed) {
      if (each.event() != null) {
        for (String key : Bank.keys(each.event().value())) {
          Fed first = partitions.putIfAbsent(key, each);
          if (first != null && !first.partition().equals(each.partition())) {
            throw new IllegalArgumentException(
                each.at()
                    + "\nno engine promises in which order this is judged with "
                    + first.at()
                    + ": let it settle in between");
          }
        }
      }
    }
  }

  private void crash(Step.Crash crash) throws Exception {
    Long committed = crash.committed();
    if (committed != null) {
      Patience.await(
          engine.patience(),
          () -> {
            long events = engine.counts().events();
            return events >= committed
                ? null
                : (committed - events) + " events to be committed at " + crash.at();
          });
    }
    engine.crash();
    up = false;
  }

  private void restart(Step.Restart restart) throws Exception {
    Setup next = setup;
    Integer version = restart.version();
    if (version != null) {
      if (!fed.isEmpty()) {
        throw new IllegalArgumentException(
            restart.at() + "\nnobody knows which version judged what was fed: settle before");
      }
      next = setup.version(version);
    }
    if (restart.accepting()) {
      next = next.acceptingChange();
    }
    if (restart.refused()) {
      String message = null;
      try {
        engine.restart(next);
      } catch (Exception e) {
        message = String.valueOf(e.getMessage());
      }
      check(message != null, restart.at(), "it started");
      check(
          message != null && message.contains("version"),
          restart.at(),
          "refused without a word of the versions: " + message);
      return;
    }
    setup = next;
    engine.restart(next);
    up = true;
  }

  private void refusing(Step.Refusing refusing) throws Exception {
    if (unread.size() != refusing.unread().size()) {
      throw new IllegalArgumentException(
          refusing.at() + "\nexpected what becomes of each of the unread: " + unread);
    }
    setup = setup.whenFailed(Fold.WhenFailed.REFUSE);
    engine.restart(setup);
    up = true;
    for (int i = 0; i < unread.size(); i++) {
      Fed each = unread.get(i);
      fed.add(
          new Fed(
              each.at(), each.partition(), each.record(), each.event(), refusing.unread().get(i)));
    }
    unread.clear();
  }

  // ---------------------------------------------------------------- what is compared

  private void settle(Line at) throws Exception {
    flush();
    if (!up) {
      throw new IllegalArgumentException(at + "\nthe engine is down here: restart it before");
    }
    engine.settle();
    for (Fed each : fed) {
      if (each.expected().fate().isJudged()) {
        ledger.add(each, each.expected(), setup.version());
      } else {
        unread.add(each);
      }
    }
    String lines = fed.isEmpty() ? at.toString() : fed.get(0).at() + " … " + at;
    fed.clear();
    compareStop(at);
    compareCounts(ledger.counts(), engine.counts(), lines);
    fail(ledger.wrongRefusals(engine.refusals()), lines);
    for (String name : setup.outputs()) {
      fail(ledger.wrongOutputs(name, engine.outputs(name)), lines);
    }
  }

  private void compareStop(Line at) {
    String stopped = engine.stopped();
    Fed first =
        unread.stream().filter(e -> e.expected().fate() == Fate.STOPS).findFirst().orElse(null);
    if (first == null) {
      check(stopped == null, at, "the engine stopped: " + stopped);
    } else {
      check(stopped != null, first.at(), "the engine did not stop");
      check(
          stopped != null
              && stopped.contains(first.partition())
              && stopped.contains(first.expected().reason()),
          first.at(),
          "the engine stopped without naming the partition and the reason: " + stopped);
    }
  }

  private static void compareCounts(Counts expected, Counts read, String lines) {
    if (!expected.equals(read)) {
      fail("the counts are " + told(read) + ", expected were " + told(expected), lines);
    }
  }

  private void compareStates(Line last) throws Exception {
    for (String key : ledger.keys()) {
      compareSlot(key, last);
    }
  }

  private @Nullable Slot<Trace> compareSlot(String key, Line at) throws Exception {
    Slot<Trace> read = engine.state(key);
    Slot<Trace> expected = ledger.slot(key);
    check(
        expected == null ? read == null : expected.equals(read),
        at,
        "for " + key + " is stored " + read + ", expected was " + expected);
    return read;
  }

  private void look(Step step) throws Exception {
    Line at = step.at();
    if (step instanceof Step.State state) {
      Slot<Trace> slot = compareSlot(state.key(), at);
      check(
          slot != null
              && slot.state().sum() == state.sum()
              && slot.state().count() == state.count()
              && (state.version() == null || state.version() == slot.version()),
          at,
          "stored is " + slot);
    } else if (step instanceof Step.NoState state) {
      check(compareSlot(state.key(), at) == null, at, "it has a state");
    } else if (step instanceof Step.Total total) {
      compareCounts(total.counts(), engine.counts(), at.toString());
    } else if (step instanceof Step.HasOutput output) {
      List<EngineFixture.Emitted> found =
          engine.outputs(output.name()).stream().filter(e -> e.id().equals(output.id())).toList();
      check(
          found.size() == 1
              && found.get(0).value().key().equals(output.key())
              && found.get(0).value().sum() == output.sum(),
          at,
          "found was " + found);
    } else if (step instanceof Step.Outputs outputs) {
      int found = engine.outputs(outputs.name()).size();
      check(found == outputs.count(), at, "there are " + found);
    } else if (step instanceof Step.History history) {
      compareHistory(history, engine.history(history.key()));
    }
  }

  private static void compareHistory(Step.History history, List<EngineFixture.Judged> read) {
    boolean same = read.size() == history.events().size();
    for (int i = 0; same && i < read.size(); i++) {
      EngineFixture.Judged judged = read.get(i);
      Step.Past past = history.events().get(i);
      Trace after = judged.after();
      same =
          judged.id().equals(past.id())
              && judged.verdict() == past.expected().fate().verdict()
              && judged.reason().equals(past.expected().reason())
              && (past.sum() == null || (after != null && after.sum() == past.sum()));
    }
    check(same, history.at(), "it is " + read);
  }

  // ---------------------------------------------------------------- messages

  private static void check(boolean holds, Line at, String what) {
    if (!holds) {
      fail(what, at.toString());
    }
  }

  private static void fail(@Nullable String what, String lines) {
    if (what != null) {
      throw new AssertionError(what + "\nat " + lines);
    }
  }

  private static String told(Counts counts) {
    return String.format(
        Locale.ROOT,
        "%d applied, %d rejected, %d duplicates, %d conflicts, %d expired, %d failed, %d outputs",
        counts.applied(),
        counts.rejected(),
        counts.duplicates(),
        counts.conflicts(),
        counts.expired(),
        counts.failed(),
        counts.outputs());
  }
}
