package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Slot;
import dev.oncefold.Update;
import dev.oncefold.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A fold that changes: its version, its rules, the shape of its states. */
class JournalChangeTest {
  /** What the tests rename the versions of. Schemas go by simple names, so each has its own. */
  static final class V1 {
    record Total(long sum) {}
  }

  static final class V2 {
    record Total(long sum, long count) {}
  }

  static final class Retyped {
    record Total(String sum) {}
  }

  static final class Removed {
    record Total(long count) {}
  }

  record Add(long amount) {}

  private static final Instant NOW = Bank.NOW;
  private final TestDisk disk = new TestDisk();

  private static <S> Fold<S, Add, String> fold(
      int version, Class<S> type, S initial, Update<S, Add, String> rules) {
    return Fold.of("totals", type, Add.class, String.class)
        .version(version)
        .initially(initial)
        .remembering(Duration.ofDays(7))
        .update(rules);
  }

  private static Fold<V1.Total, Add, String> first() {
    return fold(1, V1.Total.class, new V1.Total(0), JournalChangeTest::add);
  }

  private static Outcome<V1.Total, String> add(V1.Total total, Event<Add> event) {
    return event.value().amount() < 0
        ? Outcome.reject("negative")
        : Outcome.accept(new V1.Total(total.sum() + event.value().amount()), event.key());
  }

  /** The second version adds twice as much, and takes negative amounts, but no more than 100. */
  private static Fold<V1.Total, Add, String> second() {
    return fold(
        2,
        V1.Total.class,
        new V1.Total(0),
        (total, event) ->
            event.value().amount() > 100
                ? Outcome.reject("too much")
                : Outcome.accept(
                    new V1.Total(total.sum() + 2 * event.value().amount()), event.key() + "!"));
  }

  private <S> Journal<S, Add, String> open(Fold<S, Add, String> fold) {
    return open(fold, options -> options);
  }

  private <S> Journal<S, Add, String> open(
      Fold<S, Add, String> fold, UnaryOperator<Options> options) {
    return Journal.open(disk, fold, options.apply(Bank.OPTIONS), new Bank.ByHand());
  }

  private static <S> List<String> send(Journal<S, Add, String> journal, String... events) {
    List<CompletableFuture<Verdict<S, String>>> answers = new ArrayList<>();
    for (String event : events) {
      String[] words = event.split(" ", -1);
      answers.add(
          journal.submit(new Event<>(words[0], words[1], NOW, new Add(Long.parseLong(words[2])))));
    }
    Bank.judge(journal);
    while (journal.write()) {}
    return answers.stream().map(answer -> answer.join().kind().name()).toList();
  }

  private static <S> FileSink<S, Add, String> sink(
      Journal<S, Add, String> journal, TestDisk outside) {
    return FileSink.open(
        journal,
        outside,
        "out",
        FileSink.outputs(journal, "outputs", output -> output.value()),
        false);
  }

  private void threeEvents() {
    try (Journal<V1.Total, Add, String> journal = open(first())) {
      assertThat(send(journal, "1 a 10", "2 a -5", "3 b 200"))
          .containsExactly("APPLIED", "REJECTED", "APPLIED");
    }
  }

  // ---------------------------------------------------------------- refused

  @Test
  void anotherFoldIsRefused() {
    threeEvents();
    Fold<V1.Total, Add, String> other =
        Fold.of("others", V1.Total.class, Add.class, String.class)
            .initially(new V1.Total(0))
            .rememberingForever()
            .update(JournalChangeTest::add);
    assertThatThrownBy(() -> open(other, Options::acceptingChange))
        .isInstanceOf(JournalException.OtherFold.class)
        .hasMessageContainingAll("\"totals\"", "\"others\"", "another directory");
    assertThatThrownBy(() -> Rebuild.of(disk, other, Bank.OPTIONS))
        .isInstanceOf(JournalException.OtherFold.class);
  }

  @Test
  void anotherVersionIsRefused() {
    threeEvents();
    assertThatThrownBy(() -> open(second()))
        .isInstanceOf(JournalException.OtherFold.class)
        .hasMessageContainingAll("version 1", "this is version 2", "Rebuild", "accept");
    open(first()).close();
  }

  // ---------------------------------------------------------------- accepted

  @Test
  void anAcceptedChangeKeepsWhatWasJudged() {
    threeEvents();
    try (Journal<V1.Total, Add, String> journal = open(second(), Options::acceptingChange)) {
      assertThat(journal.state("a")).isEqualTo(new V1.Total(10));
      assertThat(send(journal, "1 a 10", "2 a -5", "2 a -6", "4 a -5", "5 a 101"))
          .containsExactly("DUPLICATE", "DUPLICATE", "CONFLICT", "APPLIED", "REJECTED");
      assertThat(journal.state("a")).isEqualTo(new V1.Total(0));
      List<Integer> versions = new ArrayList<>();
      journal.history(entry -> versions.add(entry.foldVersion()));
      assertThat(versions).containsExactly(1, 1, 1, 2, 2, 2, 2, 2);
      assertThat(journal.asOf(3).state("a")).isEqualTo(new V1.Total(10));
    }
    open(second()).close();
    assertThatThrownBy(() -> open(first())).isInstanceOf(JournalException.OtherFold.class);
  }

  @Test
  void anAddedFieldTakesTheInitialValue() {
    threeEvents();
    Fold<V2.Total, Add, String> wider =
        fold(
            1,
            V2.Total.class,
            new V2.Total(0, 7),
            (total, event) ->
                Outcome.accept(
                    new V2.Total(total.sum() + event.value().amount(), total.count() + 1)));
    for (int i = 0; i < 2; i++) {
      try (Journal<V2.Total, Add, String> journal = open(wider)) {
        assertThat(journal.state("b")).isEqualTo(new V2.Total(200, 7));
        send(journal, "x" + i + " a 1");
        assertThat(journal.state("a")).isEqualTo(new V2.Total(11 + i, 8 + i));
        assertThat(journal.asOf(1).state("a")).isEqualTo(new V2.Total(10, 7));
      }
    }
    // What has the field is not given up again.
    assertThatThrownBy(() -> open(first()))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll("states", "cannot be read", "count");
  }

  @Test
  void aRetypedOrRemovedFieldIsRefused() {
    threeEvents();
    assertThatThrownBy(
            () ->
                open(
                    fold(
                        2, Retyped.Total.class, new Retyped.Total(""), (s, e) -> Outcome.accept(s)),
                    Options::acceptingChange))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll("states", "sum", "rebuild");
    Fold<Removed.Total, Add, String> removed =
        fold(
            2,
            Removed.Total.class,
            new Removed.Total(0),
            (s, e) -> Outcome.accept(new Removed.Total(s.count() + 1)));
    assertThatThrownBy(() -> open(removed, Options::acceptingChange))
        .isInstanceOf(JournalException.class)
        .hasMessageContainingAll("states", "sum", "rebuild");
    open(first()).close();
    // A rebuild does not need the old states.
    try (Rebuild<Removed.Total, Add, String> rebuild = Rebuild.of(disk, removed, Bank.OPTIONS)) {
      List<String> differences = new ArrayList<>();
      assertThat(rebuild.differences(d -> differences.add(d.key() + d.before() + d.after())))
          .isEqualTo(2);
      assertThat(differences).containsExactly("anullTotal[count=2]", "bnullTotal[count=1]");
      rebuild.switchOver();
    }
    try (Journal<Removed.Total, Add, String> journal = open(removed)) {
      assertThat(journal.state("a")).isEqualTo(new Removed.Total(2));
    }
  }

  // ---------------------------------------------------------------- rebuilt

  @Test
  void aRebuildTellsWhatDiffersAndChangesNothingBeforeTheSwitch() {
    threeEvents();
    TestDisk before = disk.copy();
    try (Rebuild<V1.Total, Add, String> rebuild = Rebuild.of(disk, second(), Bank.OPTIONS)) {
      assertThat(rebuild.before()).isEqualTo(new Counts(2, 1, 0, 0, 0, 0, 2));
      assertThat(rebuild.after()).isEqualTo(new Counts(2, 1, 0, 0, 0, 0, 2));
      List<Rebuild.Difference<V1.Total>> differences = new ArrayList<>();
      // a: 10, then -5 rejected; under the new rules 20 - 10, which is no difference.
      assertThat(rebuild.differences(differences::add)).isEqualTo(1);
      assertThat(differences)
          .containsExactly(new Rebuild.Difference<>("b", new V1.Total(200), null));
      assertThatThrownBy(() -> open(first())).hasMessageContaining("is open elsewhere");
    }
    assertThat(disk.names("")).isEqualTo(before.names(""));
    try (Journal<V1.Total, Add, String> journal = open(first())) {
      assertThat(journal.state("b")).isEqualTo(new V1.Total(200));
    }
  }

  @Test
  void aRebuildSwitchesInOneStepAndEmitsNothingAgain() {
    TestDisk outside = new TestDisk();
    try (Journal<V1.Total, Add, String> journal = open(first())) {
      FileSink<V1.Total, Add, String> sink = sink(journal, outside);
      send(journal, "1 a 10", "2 a -5");
      sink.close();
      send(journal, "3 b 200", "1 a 10", "1 a 11", "6 d 1");
    }
    switchOver(second());
    assertThatThrownBy(() -> open(first())).isInstanceOf(JournalException.OtherFold.class);
    for (int i = 0; i < 2; i++) {
      try (Journal<V1.Total, Add, String> journal = open(second())) {
        assertThat(journal.view().slots().get("a")).isEqualTo(new Slot<>(new V1.Total(10), 2));
        assertThat(journal.state("b")).isNull();
        assertThat(journal.state("d")).isEqualTo(new V1.Total(2));
        assertThat(journal.sequence()).isEqualTo(6 + 4 * i);
        // The ids were carried over, with the verdicts of the new rules.
        assertThat(send(journal, "1 a 10", "2 a -5", "3 b 200", "2 a -6"))
            .containsExactly("DUPLICATE", "DUPLICATE", "DUPLICATE", "CONFLICT");
        FileSink<V1.Total, Add, String> sink = sink(journal, outside);
        sink.close();
        assertThat(new String(outside.bytes("out"), StandardCharsets.UTF_8))
            .as("what the old rules emitted, each once")
            .isEqualTo("a\nb\nd\n");
      }
    }
  }

  @Test
  void aSecondRebuildBeginsFromTheWholeHistoryToo() {
    threeEvents();
    switchOver(second());
    try (Journal<V1.Total, Add, String> journal = open(second())) {
      send(journal, "7 a 1");
      assertThat(journal.state("a")).isEqualTo(new V1.Total(12));
      assertThat(journal.asOf(1).state("a")).isEqualTo(new V1.Total(10));
      assertThat(journal.asOf(4).state("a")).isEqualTo(new V1.Total(12));
    }
    switchOver(fold(3, V1.Total.class, new V1.Total(0), JournalChangeTest::add));
    try (Journal<V1.Total, Add, String> journal =
        open(fold(3, V1.Total.class, new V1.Total(0), JournalChangeTest::add))) {
      assertThat(journal.state("a")).isEqualTo(new V1.Total(11));
      assertThat(journal.state("b")).isEqualTo(new V1.Total(200));
      assertThat(journal.counts()).isEqualTo(new Counts(3, 1, 0, 0, 0, 0, 3));
      List<Integer> versions = new ArrayList<>();
      journal.history(entry -> versions.add(entry.foldVersion()));
      assertThat(versions).containsExactly(1, 1, 1, 2);
    }
  }

  private void switchOver(Fold<V1.Total, Add, String> next) {
    try (Rebuild<V1.Total, Add, String> rebuild = Rebuild.of(disk, next, Bank.OPTIONS)) {
      rebuild.switchOver();
      assertThatThrownBy(rebuild::switchOver)
          .isInstanceOf(JournalException.class)
          .hasMessageContaining("switched already");
    }
  }

  /** Whatever fails before the switch leaves the old journal; what came after it, the new one. */
  @Test
  void aCrashOnTheWayLeavesTheOldJournalOrTheNewOne() {
    threeEvents();
    List<TestDisk> crashes = new ArrayList<>();
    TestDisk watched = disk;
    disk.before((operation, name) -> crashes.add(watched.copy()));
    switchOver(second());
    disk.mended();
    crashes.add(disk.copy());
    int old = 0;
    boolean switched = false;
    for (TestDisk crash : crashes) {
      try (var journal = Journal.open(crash, first(), Bank.OPTIONS, new Bank.ByHand())) {
        assertThat(journal.state("b")).isEqualTo(new V1.Total(200));
        old++;
        assertThat(switched).as("never old again once new").isFalse();
      } catch (JournalException.OtherFold e) {
        switched = true;
      }
      if (switched) {
        try (var journal = Journal.open(crash, second(), Bank.OPTIONS, new Bank.ByHand())) {
          assertThat(journal.state("b")).isNull();
          assertThat(journal.counts()).isEqualTo(new Counts(2, 1, 0, 0, 0, 0, 2));
        }
      }
    }
    assertThat(old).isBetween(4, crashes.size() - 1);
  }

  @Test
  void aDiskThatFailsOnTheWayLeavesTheOldJournal() {
    for (String operation : List.of("create", "write", "sync", "rename")) {
      TestDisk failing = new TestDisk();
      try (var journal = Journal.open(failing, first(), Bank.OPTIONS, new Bank.ByHand())) {
        send(journal, "3 b 200");
      }
      try (var rebuild = Rebuild.of(failing, second(), Bank.OPTIONS)) {
        failing.failing(operation, "", "the cable is out");
        assertThatThrownBy(rebuild::switchOver)
            .isInstanceOf(JournalException.class)
            .hasMessageContainingAll("the cable is out", "The journal is as it was");
        failing.mended();
      }
      try (var journal = Journal.open(failing, first(), Bank.OPTIONS, new Bank.ByHand())) {
        assertThat(journal.state("b")).isEqualTo(new V1.Total(200));
      }
    }
  }

  @Test
  void theFloorIsCarriedOver() {
    try (Journal<V1.Total, Add, String> journal = open(first())) {
      for (int day = 40; day > 0; day--) {
        var unused =
            journal.submit(
                new Event<>("e" + day, "a", NOW.minus(Duration.ofDays(day)), new Add(1)));
        Bank.judge(journal);
      }
    }
    switchOver(second());
    try (Journal<V1.Total, Add, String> journal = open(second())) {
      assertThat(journal.state("a")).isEqualTo(new V1.Total(80));
      var old = journal.submit(new Event<>("x", "a", NOW.minus(Duration.ofDays(30)), new Add(1)));
      var again =
          journal.submit(new Event<>("e30", "a", NOW.minus(Duration.ofDays(30)), new Add(1)));
      var known = journal.submit(new Event<>("e2", "a", NOW.minus(Duration.ofDays(2)), new Add(1)));
      Bank.judge(journal);
      while (journal.write()) {}
      assertThat(old.join().kind()).isEqualTo(Verdict.Kind.EXPIRED);
      assertThat(again.join().kind()).isEqualTo(Verdict.Kind.EXPIRED);
      assertThat(known.join().kind()).isEqualTo(Verdict.Kind.DUPLICATE);
    }
  }

  // ---------------------------------------------------------------- the text of the rules

  private static Fold<V1.Total, Add, String> withRules(int version, String... lines) {
    return Fold.of("totals", V1.Total.class, Add.class, String.class)
        .version(version)
        .rules(String.join("\n", lines))
        .initially(new V1.Total(0))
        .remembering(Duration.ofDays(7))
        .update(JournalChangeTest::add);
  }

  private String storedRules() {
    Description description = History.describe(disk);
    return description == null ? "no journal" : description.rules();
  }

  @Test
  void changedRulesOfAnUnchangedVersionAreRefused() {
    open(withRules(1, "if a", "then b", "else c")).close();
    TestDisk before = disk.copy();
    assertThatThrownBy(() -> open(withRules(1, "if a", "then B", "or D", "else c", "end")))
        .isInstanceOf(JournalException.OtherFold.class)
        .hasMessageContainingAll(
            "the rules of the fold \"totals\" changed though its version 1 did not",
            ":\n- then b\n+ then B\n+ or D\n+ end\nRebuild",
            "accept the change")
        .hasMessageNotContaining("if a");
    assertThat(disk.names("")).isEqualTo(before.names(""));
    assertThat(storedRules()).isEqualTo("if a\nthen b\nelse c");
    open(withRules(1, "if a", "then b", "else c")).close();
    // Another version says that they changed: it is told as such.
    assertThatThrownBy(() -> open(withRules(2, "if a")))
        .isInstanceOf(JournalException.OtherFold.class)
        .hasMessageContaining("this is version 2");
  }

  @Test
  void tenChangedLinesAreShown() {
    String[] lines = new String[8];
    String[] others = new String[8];
    for (int i = 0; i < 8; i++) {
      lines[i] = "old " + i;
      others[i] = "new " + i;
    }
    open(withRules(1, lines)).close();
    assertThatThrownBy(() -> open(withRules(1, others)))
        .hasMessageContaining("- old 7\n+ new 0\n+ new 1\n…\n")
        .hasMessageNotContaining("new 2");
  }

  @Test
  void changedLinesAreToldInOrder() {
    assertThat(Definition.changedLines("a\nb\nc", "a\nb\nc\n")).isEmpty();
    assertThat(Definition.changedLines("a\r\nb", "a\nb")).isEmpty();
    assertThat(Definition.changedLines("a\nb", "b\na")).containsExactly("+ b", "- b");
    assertThat(Definition.changedLines("a\nb\nc", "c")).containsExactly("- a", "- b");
    assertThat(Definition.changedLines("c", "a\nb\nc\nd")).containsExactly("+ a", "+ b", "+ d");
    assertThat(Definition.changedLines("a\na", "a")).containsExactly("- a");
    assertThat(Definition.changedLines("a\nx\nb\ny", "a\nb\nz"))
        .containsExactly("- x", "- y", "+ z");
  }

  @Test
  void acceptedRulesAreTheJournalsFromThenOn() {
    try (Journal<V1.Total, Add, String> journal = open(withRules(1, "old"))) {
      send(journal, "1 a 10");
    }
    try (Journal<V1.Total, Add, String> journal =
        open(withRules(1, "new"), Options::acceptingChange)) {
      assertThat(send(journal, "1 a 10", "2 a 1")).containsExactly("DUPLICATE", "APPLIED");
    }
    assertThat(disk.names(".log")).hasSize(2);
    assertThat(storedRules()).isEqualTo("new");
    for (int i = 0; i < 2; i++) {
      open(withRules(1, "new")).close();
    }
    assertThat(disk.names(".log")).hasSize(2);
    assertThatThrownBy(() -> open(withRules(1, "old")))
        .isInstanceOf(JournalException.OtherFold.class);
  }

  @Test
  void rulesAreStoredWhereThereWereNoneAndKeptWhereTheFoldTellsNone() {
    threeEvents();
    assertThat(storedRules()).isEmpty();
    open(withRules(1, "told")).close();
    assertThat(storedRules()).isEqualTo("told");
    // Without a text the fold is taken at its version's word, and the text stays.
    open(first()).close();
    open(first(), Options::acceptingChange).close();
    assertThat(storedRules()).isEqualTo("told");
    assertThatThrownBy(() -> open(withRules(1, "otherwise")))
        .isInstanceOf(JournalException.OtherFold.class);
    // The text of version 1 says nothing of version 2.
    open(second(), Options::acceptingChange).close();
    assertThat(storedRules()).isEmpty();
  }

  @Test
  void otherLineEndsAreNoChange() {
    open(withRules(1, "a", "b")).close();
    open(withRules(1, "a", "b", "")).close();
    assertThat(storedRules()).isEqualTo("a\nb\n");
    assertThat(disk.names(".log")).hasSize(2);
  }

  @Test
  void aRebuildStoresTheNewRules() {
    try (Journal<V1.Total, Add, String> journal = open(withRules(1, "old"))) {
      send(journal, "1 a 10");
    }
    try (Rebuild<V1.Total, Add, String> rebuild =
        Rebuild.of(disk, withRules(1, "new"), Bank.OPTIONS)) {
      assertThat(storedRules()).isEqualTo("old");
      rebuild.switchOver();
    }
    assertThat(storedRules()).isEqualTo("new");
    assertThatThrownBy(() -> open(withRules(1, "old")))
        .isInstanceOf(JournalException.OtherFold.class);
    try (Journal<V1.Total, Add, String> journal = open(withRules(1, "new"))) {
      assertThat(journal.state("a")).isEqualTo(new V1.Total(10));
    }
  }

  /** Also when the log goes on into further segments, whose snapshots carry the definition. */
  @Test
  void rulesOutliveSegmentsAndSnapshots() {
    Fold<V1.Total, Add, String> ruled = withRules(1, "a line\n".repeat(1000));
    UnaryOperator<Options> small = options -> options.segmentBytes(1 << 16).snapshotBytes(1 << 14);
    try (Journal<V1.Total, Add, String> journal = open(ruled, small)) {
      for (int i = 0; i < 2000; i++) {
        send(journal, i + " a 1");
      }
    }
    assertThat(disk.names(".log")).hasSizeGreaterThan(2);
    assertThat(disk.names(".snapshot")).isNotEmpty();
    assertThat(storedRules()).isEqualTo(ruled.rules());
    try (Journal<V1.Total, Add, String> journal = open(ruled, small)) {
      assertThat(journal.state("a")).isEqualTo(new V1.Total(2000));
    }
  }
}
