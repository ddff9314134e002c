package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole demo with real processes and real kills, and with workers that are wrong. */
class DemoTest {
  @TempDir Path directory;

  @Test
  void everyPaymentIsAppliedExactlyOnce() throws IOException {
    Command demo =
        Command.oncefold(
            "demo", "--events", "20000", "--kills", "6", "--seed", "42", "--dir", kept(), "--json");
    assertThat(demo.exitCode()).as(demo.out() + demo.err()).isZero();
    assertThat(demo.out()).contains("PASS: 6 kills, ").doesNotContain("FAIL");
    JsonNode json = new ObjectMapper().readTree(demo.lastLine());
    assertThat(json.get("verdict").asText()).isEqualTo("PASS");
    assertThat(json.get("seed").asLong()).isEqualTo(42);
    assertThat(json.get("events").asLong()).isEqualTo(20_000);
    long judged = 0;
    for (String verdict :
        List.of("applied", "duplicates", "conflicts", "rejected", "expired", "failed")) {
      judged += json.get(verdict).asLong();
    }
    assertThat(judged).isEqualTo(20_000);
    assertThat(json.get("duplicates").asLong()).isPositive();
    assertThat(json.get("conflicts").asLong()).isPositive();
    assertThat(json.get("rejected").asLong()).isPositive();
    assertThat(json.get("kills").asInt()).isEqualTo(6);
    assertThat(json.get("restarts").asInt()).isEqualTo(6);
    assertThat(json.get("killsInsideCommit").asInt()).isBetween(3, 6);
    assertThat(json.get("killsInHalfWrittenFrame").asInt()).isPositive();
    assertThat(json.get("recoveryMillisMedian").asLong()).isPositive();
    assertThat(json.get("lost").asLong()).isZero();
    assertThat(json.get("doubled").asLong()).isZero();
    assertThat(json.get("differences").asLong()).isZero();
    assertThat(json.get("lastRunEventsPerSecond").asLong()).isPositive();
    assertThat(Files.readAllLines(directory.resolve("kept/receipts.csv")))
        .hasSize(json.get("outputs").asInt())
        .doesNotHaveDuplicates();
  }

  private String kept() {
    return directory.resolve("kept").toString();
  }

  private Command broken(Class<?> worker) {
    return Command.run(
        Main.command(new DemoCommand(worker), System.in),
        "demo",
        "--events",
        "10000",
        "--kills",
        "3",
        "--dir",
        kept(),
        "--json");
  }

  /** Knows no ids: what is sent again is applied again. */
  static final class ForgetsIds {
    private ForgetsIds() {}

    public static void main(String[] args) throws IOException, InterruptedException {
      Worker.apply(Workplace.at(Path.of(args[0])), Payments.fold(), WithoutIds::new);
    }
  }

  @Test
  void anEngineThatForgetsIdsIsCaught() throws IOException {
    JsonNode json = failed(broken(ForgetsIds.class));
    assertThat(json.get("doubled").asLong()).isPositive();
  }

  /** Takes the first payment after each start as applied without having seen it. */
  static final class SkipsOne {
    private SkipsOne() {}

    public static void main(String[] args) throws IOException, InterruptedException {
      Worker.apply(Workplace.at(Path.of(args[0])), Payments.fold(), Skipping::new);
    }
  }

  @Test
  void anEngineThatLosesEventsInACrashIsCaught() throws IOException {
    JsonNode json = failed(broken(SkipsOne.class));
    assertThat(json.get("lost").asLong()).isPositive();
  }

  /** Ends before it was killed. */
  static final class GivesUp {
    private GivesUp() {}

    public static void main(String[] args) {
      System.err.println("no luck today");
      System.exit(3);
    }
  }

  @Test
  void aWorkerThatEndsByItselfIsTold() {
    Command demo = broken(GivesUp.class);
    assertThat(demo.exitCode()).isEqualTo(1);
    assertThat(demo.err())
        .contains("the worker process ended by itself with exit code 3")
        .contains("no luck today")
        .contains("Everything the demo wrote is in " + kept());
  }

  private static JsonNode failed(Command demo) throws IOException {
    assertThat(demo.exitCode()).isEqualTo(1);
    assertThat(demo.out()).contains("FAIL: ", "The first differences:").doesNotContain("PASS");
    JsonNode json = new ObjectMapper().readTree(demo.lastLine());
    assertThat(json.get("verdict").asText()).isEqualTo("FAIL");
    assertThat(json.get("differences").asLong()).isPositive();
    assertThat(json.get("firstDifferences")).isNotEmpty();
    return json;
  }

  private static final class Skipping extends Tampered {
    private boolean skipped;

    Skipping(Source<Payment> source) {
      super(source);
    }

    @Override
    List<Received<Payment>> tampered(List<Received<Payment>> events) {
      if (skipped || events.size() == 1) {
        return events;
      }
      skipped = true;
      return events.subList(1, events.size());
    }
  }

  private static final class WithoutIds extends Tampered {
    WithoutIds(Source<Payment> source) {
      super(source);
    }

    @Override
    List<Received<Payment>> tampered(List<Received<Payment>> events) {
      return events.stream().map(WithoutIds::withoutId).toList();
    }

    private static Received<Payment> withoutId(Received<Payment> received) {
      Event<Payment> event = received.event();
      return event == null
          ? received
          : Received.of(
              received.offset(),
              received.next(),
              new Event<>(null, event.key(), event.time(), event.value()));
    }
  }

  private abstract static class Tampered implements Source<Payment> {
    private final Source<Payment> source;

    Tampered(Source<Payment> source) {
      this.source = source;
    }

    abstract List<Received<Payment>> tampered(List<Received<Payment>> events);

    @Override
    public @Nullable Polled<Payment> poll(int max, Duration wait) throws InterruptedException {
      Polled<Payment> polled = source.poll(max, wait);
      return polled == null
          ? null
          : new Polled<>(
              polled.partition(), polled.from(), tampered(polled.events()), polled.unread());
    }

    @Override
    public List<String> partitions() {
      return source.partitions();
    }

    @Override
    public void seek(String partition, Position position) {
      source.seek(partition, position);
    }

    @Override
    public boolean ended() {
      return source.ended();
    }

    @Override
    public void close() {
      source.close();
    }
  }
}
