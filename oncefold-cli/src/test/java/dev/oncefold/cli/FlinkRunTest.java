package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.PAYMENTS;
import static dev.oncefold.cli.Accounts.payment;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.sandbox.KafkaBroker;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pipelines with {@code engine: flink}, run by the command in its own process. */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class FlinkRunTest {
  private static final String ZOE =
      "{\"key\":\"zoë\",\"version\":1,\"state\":{\"balance\":5.50,\"payments\":1}}\n";
  private static final String ALICE =
      "{\"key\":\"alice\",\"version\":2,\"state\":{\"balance\":7.75,\"payments\":2}}\n";

  @TempDir static Path servers;
  private static KafkaBroker broker;

  @TempDir Path directory;
  private Accounts accounts;
  private OwnTopics topics;
  private String job = "";

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    broker = KafkaBroker.start(servers.resolve("kafka"));
  }

  @AfterAll
  static void stop() throws IOException {
    broker.close();
  }

  @BeforeEach
  void ownTopics(TestInfo info) throws Exception {
    job = info.getTestMethod().orElseThrow().getName().toLowerCase(Locale.ROOT);
    accounts = Accounts.in(directory);
    topics = new OwnTopics(broker, job);
    topics.make("payments", "receipts", "refused");
    pipeline("PT0.1S, directory: checkpoints", "hashmap");
  }

  private void pipeline(String checkpoints, String backend) {
    accounts.pipeline(
        Accounts.YAML
            .replace("source: { file: payments.ndjson }", "source: " + topics.topic("payments"))
            .replace(
                "store: { journal: data }",
                "engine: { flink: { name: %s, parallelism: 2, backend: %s, checkpoints: { interval: %s } } }"
                    .formatted(job, backend, checkpoints))
            .replace("{ file: receipts.ndjson }", topics.topic("receipts"))
            .replace("{ file: refused.ndjson }", topics.topic("refused")));
  }

  private RunningChild run(String log, String... more) throws IOException {
    String[] args = {"run", accounts.path("accounts.yaml").toString()};
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return RunningChild.start(accounts.path(log), all);
  }

  @Test
  void whatIsThereOnTheOtherSideHasTheMethodsThatAreCalled() throws Exception {
    // One that is missing there would be found out when it is called, and stop only at the end.
    Class<?> there = Flink.type();
    assertThat(there.getClassLoader()).isNotSameAs(FlinkSide.class.getClassLoader());
    for (Method each : FlinkSide.class.getMethods()) {
      assertThat(there.getMethod(each.getName(), each.getParameterTypes()).getReturnType())
          .as(each.getName())
          .isSameAs(each.getReturnType());
    }
    for (Field each : FlinkSide.class.getFields()) {
      assertThat(there.getField(each.getName()).get(null)).isEqualTo(each.get(null));
    }
  }

  @Test
  void aTopicThroughAJobIsAppliedOnceHoweverItIsStopped() throws Exception {
    Command check = accounts.oncefold("check");
    assertThat(check.err()).isEmpty();
    assertThat(check.exitCode()).isZero();
    assertThat(check.out())
        .contains("  engine    Flink, the job " + job + " at " + broker.bootstrap())
        .doesNotContain("warning");

    assertThat(accounts.oncefold("state").err()).contains("there is no checkpoint of the job");

    topics.send(PAYMENTS);
    try (RunningChild run = run("one")) {
      run.await(() -> topics.read("receipts").size() == 3 && topics.read("refused").size() == 2);
      Command second = accounts.oncefold("run");
      assertThat(second.exitCode()).isEqualTo(1);
      assertThat(second.err()).contains("another process runs the job \"" + job + "\"");
      assertThat(run.terminate()).as(run.said()).isZero();
      assertThat(run.said())
          .contains("reads the topic as the job " + job + " of Flink, in this process\n")
          .contains("  events                    6              6\n")
          .contains("Stopped. Run it again to go on from here.")
          .contains("2 refusals are in the topic " + job + "-refused, with the reasons.");
    }
    assertThat(accounts.path("checkpoints").toFile().list())
        .as("all that it has applied is in a savepoint")
        .anyMatch(name -> name.startsWith("savepoint-"));
    assertThat(accounts.oncefold("state").out()).isEqualTo(ALICE + ZOE);
    assertThat(accounts.oncefold("state", "zoë", "--json").out())
        .isEqualTo(ZOE + "{\"keys\":1,\"events\":6}\n");
    // p-1 is a re-send of what the first life applied.
    topics.send(
        List.of(
            payment("p-1", "alice", "deposit", "10.00", 1),
            payment("p-9", "zoë", "deposit", "1.00", 9)));
    try (RunningChild run = run("two")) {
      run.await(() -> topics.read("receipts").size() == 4);
      assertThat(run.said()).contains("in this process; 6 events were judged before\n");
      run.kill();
    }
    assertThat(filesWhileItRuns()).as("what a killed process leaves behind").isNotEmpty();
    topics.send(List.of("{\"torn\":"));
    Command failed = accounts.oncefold("run");
    assertThat(failed.exitCode()).isEqualTo(1);
    assertThat(failed.err()).contains(" --refuse " + job + "-payments-");
    assertThat(failed.out())
        .contains("; 8 events were judged before")
        .contains("  events                    0              8\n");
    accounts.pipeline(accounts.read("accounts.yaml").replace("insufficient funds", "no money"));
    for (String command : List.of("check", "run")) {
      Command changed = accounts.oncefold(command);
      assertThat(changed.exitCode()).isEqualTo(1);
      assertThat(changed.err()).contains("with other rules").endsWith(" --accept-change\n");
    }
    String position = failed.err().replaceFirst("(?s).* --refuse (\\S+).*", "$1");
    try (RunningChild run = run("three", "--accept-change", "--refuse", position)) {
      run.await(() -> topics.read("refused").size() == 3);
      assertThat(run.terminate()).as(run.said()).isZero();
      assertThat(run.said()).contains("  events                    1              9\n");
    }
    assertThat(filesWhileItRuns()).isEmpty();
    assertThat(topics.read("receipts")).hasSize(4).doesNotHaveDuplicates();
    assertThat(accounts.oncefold("history", "zoë").err()).contains("in the checkpoints of Flink");
  }

  private List<String> filesWhileItRuns() {
    String[] all = RunningChild.temporary(accounts.path("one")).toFile().list();
    return Arrays.stream(Objects.requireNonNull(all))
        .filter(each -> each.startsWith("oncefold-" + job + "-") || each.contains("flink"))
        .toList();
  }

  @Test
  void whatARunWouldRefuseIsCheckedAndAClusterThatIsAwayIsToldOnce() {
    pipeline("PT0.1S, timeout: PT14M, directory: checkpoints", "hashmap");
    for (String command : List.of("check", "run")) {
      Command refused = accounts.oncefold(command);
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err())
          .contains("the transactions' timeout is 900000 ms", "Outputs would be lost");
    }
    accounts.pipeline(accounts.read("accounts.yaml").replace("hashmap", "forst"));
    assertThat(accounts.oncefold("state").err()).contains("what its backend forst has stored");
    accounts.pipeline(accounts.read("accounts.yaml").replace(broker.bootstrap(), "localhost:1"));
    Command away = accounts.oncefold("check");
    assertThat(away.exitCode()).isZero();
    assertThat(away.out().split("the cluster at localhost:1", -1)).hasSize(2);
  }

  @Test
  void aTopicThatIsNotThereIsToldWhileItIsWaitedFor() throws Exception {
    accounts.pipeline(accounts.read("accounts.yaml").replace(job + "-payments", "not-there"));
    try (RunningChild run = run("one")) {
      run.await(() -> accounts.read("one").contains("the job has failed, and starts again: "));
      assertThat(run.said()).contains("not-there");
      assertThat(run.terminate()).as(run.said()).isZero();
    }
  }
}
