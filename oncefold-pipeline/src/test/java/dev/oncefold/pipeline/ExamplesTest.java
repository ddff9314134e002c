package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Codec;
import dev.oncefold.Counts;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.FileSource;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Row;
import dev.oncefold.Runner;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples give what stands beside them, and the same as a fold in Java. */
class ExamplesTest {
  /**
   * With {@code -Dexamples.write=true} what comes is written as what is expected: look at the
   * difference before it is committed.
   */
  private static final boolean WRITE = Boolean.getBoolean("examples.write");

  @TempDir Path directory;

  static List<String> examples() throws IOException {
    return Example.names();
  }

  @Test
  void thereAreExamples() throws IOException {
    assertThat(examples()).contains("accounts", "bank-csv", "sensors", "transfers", "web");
  }

  @ParameterizedTest
  @MethodSource("examples")
  void anExampleGivesWhatIsExpectedAndASecondRunChangesNothing(String name) throws Exception {
    Example example = Example.copied(name, directory);
    Example.Run run = example.run();
    String state = Example.state(run.view());
    compare(example, state);

    Example.Run second = example.run();
    assertThat(second.counts()).isEqualTo(Counts.NONE);
    assertThat(second.view().sequence()).isEqualTo(run.view().sequence());
    assertThat(Example.state(second.view())).isEqualTo(state);
    compare(example, state);
  }

  private static void compare(Example example, String state) throws IOException {
    Map<String, String> got = new TreeMap<>();
    got.put("state.ndjson", state);
    for (Path file : example.written()) {
      got.put(file.getFileName().toString(), Files.readString(file));
    }
    if (WRITE) {
      Files.createDirectories(example.expected());
      for (Map.Entry<String, String> file : got.entrySet()) {
        Files.writeString(example.expected().resolve(file.getKey()), file.getValue());
      }
    }
    Map<String, String> expected = new TreeMap<>();
    try (Stream<Path> files = Files.list(example.expected())) {
      for (Path file : files.toList()) {
        expected.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    assertThat(got).isEqualTo(expected);
  }

  @Test
  void everyEventSentAgainUnderAnotherNameIsADuplicate() throws Exception {
    Example example = Example.copied("accounts", directory);
    Example.Run run = example.run();
    Files.copy(directory.resolve("payments.ndjson"), directory.resolve("again.ndjson"));
    Files.writeString(
        example.file(),
        Files.readString(example.file()).replace("file: payments.ndjson", "file: again.ndjson"));
    Example.Run second = example.run();
    assertThat(second.counts().applied()).isZero();
    assertThat(second.counts().rejected()).isZero();
    // A conflict stays one.
    assertThat(second.counts().conflicts()).isEqualTo(run.counts().conflicts());
    assertThat(second.counts().duplicates())
        .isEqualTo(run.counts().events() - run.counts().conflicts());
    assertThat(Example.state(second.view())).isEqualTo(Example.state(run.view()));
  }

  @Test
  void transfersKeepTheSum() throws Exception {
    View<Row> view = Example.copied("transfers", directory).run().view();
    BigDecimal sum = BigDecimal.ZERO;
    for (var slot : view.slots().values()) {
      sum = sum.add((BigDecimal) slot.state().get("balance"));
    }
    assertThat(sum)
        .isEqualTo(new BigDecimal("100.00").multiply(new BigDecimal(view.slots().size())));
  }

  // ---------------------------------------------------------------- the same in Java

  record Payment(String account, String type, BigDecimal amount) {}

  record State(BigDecimal balance, long payments) {}

  record Receipt(String account, BigDecimal balance) {}

  private static Fold<State, Payment, Receipt> accounts() {
    return Fold.of("accounts", State.class, Payment.class, Receipt.class)
        .version(1)
        .initially(new State(new BigDecimal("0.00"), 0))
        .remembering(Duration.ofDays(7))
        .update(
            (state, event) -> {
              Payment p = event.value();
              boolean withdraws = p.type().equals("withdraw");
              if (withdraws && state.balance().compareTo(p.amount()) < 0) {
                return Outcome.reject("insufficient funds");
              }
              BigDecimal balance =
                  withdraws
                      ? state.balance().subtract(p.amount())
                      : state.balance().add(p.amount());
              return Outcome.accept(
                  new State(balance, state.payments() + 1), new Receipt(p.account(), balance));
            });
  }

  private static final Pattern LINE =
      Pattern.compile(
          "\\{\"id\":\"(.*?)\",\"account\":\"(.*?)\",\"type\":\"(.*?)\",\"amount\":(.*?),\"at\":\"(.*?)\"}");

  private static Event<Payment> payment(String line) {
    Matcher m = LINE.matcher(line);
    assertThat(m.matches()).as(line).isTrue();
    Payment payment = new Payment(m.group(2), m.group(3), new BigDecimal(m.group(4)).setScale(2));
    return new Event<>(m.group(1), m.group(2), Instant.parse(m.group(5)), payment);
  }

  @Test
  void theSameFoldInJavaGivesTheSameBytes() throws Exception {
    Example example = Example.copied("accounts", directory);
    Example.Run yaml = example.run();
    Fold<State, Payment, Receipt> fold = accounts();
    View<State> java;
    Counts counts;
    try (Journal<State, Payment, Receipt> journal = Journal.open(directory.resolve("java"), fold);
        FileSource<Payment> source =
            FileSource.of(directory.resolve("payments.ndjson"), ExamplesTest::payment)) {
      counts = new Runner<>(journal, fold, List.of(source), Clock.systemUTC()).run();
      java = journal.view();
    }
    assertThat(yaml.counts()).isEqualTo(counts);
    assertThat(counts.rejected()).isPositive();
    assertThat(counts.duplicates()).isPositive();
    assertThat(counts.conflicts()).isPositive();
    assertThat(new TreeSet<>(yaml.view().slots().keySet()))
        .isEqualTo(new TreeSet<>(java.slots().keySet()));
    Codec<Row> rows = Pipeline.load(example.file()).fold().stateCodec();
    assertThat(rows.schema()).isEqualTo(fold.stateCodec().schema());
    java.slots()
        .forEach(
            (key, slot) -> {
              var row = Objects.requireNonNull(yaml.view().slots().get(key));
              assertThat(row.version()).isEqualTo(slot.version());
              assertThat(bytes(rows, row.state()))
                  .as(key)
                  .isEqualTo(bytes(fold.stateCodec(), slot.state()));
            });
  }

  private static <T> byte[] bytes(Codec<T> codec, T value) {
    Encoder out = new Encoder();
    codec.encode(value, out);
    return out.toByteArray();
  }
}
