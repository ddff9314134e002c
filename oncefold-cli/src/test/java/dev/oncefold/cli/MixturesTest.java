package dev.oncefold.cli;

import static dev.oncefold.cli.Accounts.PAYMENTS;
import static dev.oncefold.cli.Accounts.payment;
import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.sandbox.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands on pipelines that have files, topics, journals and tables in every mixture. */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class MixturesTest {
  @TempDir static Path servers;
  private static KafkaBroker broker;
  private static PostgresServer database;

  @TempDir Path directory;
  private String test = "";
  private Accounts accounts;
  private OwnTopics topics;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    broker = KafkaBroker.start(servers.resolve("kafka"));
    database = PostgresServer.start(servers.resolve("postgres"));
  }

  @AfterAll
  static void stop() throws IOException {
    broker.close();
    database.close();
  }

  @BeforeEach
  void ownTopicsAndDatabase(TestInfo info) throws Exception {
    test = info.getTestMethod().orElseThrow().getName().toLowerCase(Locale.ROOT);
    accounts = Accounts.in(directory);
    topics = new OwnTopics(broker, test);
  }

  private String table() {
    return """
        store:
          postgres:
            url: jdbc:postgresql://%s:%d/%s
            table: accounts
            user: %s
            password: ${file:%s/postgres/password}
        """
        .formatted(
            database.address().getHostString(),
            database.address().getPort(),
            test,
            database.user(),
            servers)
        .strip();
  }

  /** The pipeline of accounts with some of its lines replaced. */
  private void pipeline(String... lines) {
    String text = Accounts.YAML;
    for (int i = 0; i < lines.length; i += 2) {
      assertThat(text).contains(lines[i]);
      text = text.replace(lines[i], lines[i + 1]);
    }
    accounts.pipeline(text);
  }

  private void database() throws SQLException {
    database.createDatabase(test);
  }

  private static final String ZOE =
      "{\"key\":\"zoë\",\"version\":1,\"state\":{\"balance\":5.50,\"payments\":1}}\n";
  private static final String ALICE =
      "{\"key\":\"alice\",\"version\":2,\"state\":{\"balance\":7.75,\"payments\":2}}\n";

  private String source() {
    return "source: " + topics.topic("payments").replace(" } }", ", group: " + test + " } }");
  }

  @Test
  void aFileIntoATable() throws SQLException {
    database();
    pipeline(
        "store: { journal: data }", table(),
        "outputs: { receipts: { file: receipts.ndjson } }\n", "",
        "  - emit: { account: event.account, balance: state.balance }\n    to: receipts\n", "",
        "refusals: { file: refused.ndjson }\n", "");
    Command run = accounts.oncefold("run");
    assertThat(run.err()).isEmpty();
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .startsWith("begins with payments.ndjson\n")
        .contains("  events                    6              6\n")
        .contains("\n\nApplied payments.ndjson to its end.\n")
        .endsWith("2 refusals are in the table oncefold.refusals, with the reasons.\n");
    assertThat(accounts.oncefold("state").out()).isEqualTo(ALICE + ZOE);
    assertThat(accounts.oncefold("state", "zoë", "--json").out())
        .isEqualTo(ZOE + "{\"keys\":1,\"events\":6,\"unread\":[]}\n");
    assertThat(accounts.oncefold("state", "bob").err())
        .isEqualTo("oncefold state: there is no key \"bob\"; without KEY all keys are printed\n");
    assertThat(accounts.oncefold("run").out())
        .startsWith("goes on behind line 6 of payments.ndjson; 6 events were judged before\n")
        .contains("Nothing new in payments.ndjson");
    assertThat(accounts.oncefold("history", "zoë").err())
        .contains("goes by the events that a journal keeps");
    assertThat(accounts.oncefold("state", "--as-of", "1").err())
        .contains("--as-of goes by the events that a journal keeps");
    assertThat(accounts.oncefold("rebuild").err()).contains("a rebuild judges the events again");
    assertThat(accounts.oncefold("verify").err()).contains("verify runs a file into a journal");

    pipeline(
        "store: { journal: data }", table(),
        "outputs: { receipts: { file: receipts.ndjson } }\n", "",
        "  - emit: { account: event.account, balance: state.balance }\n    to: receipts\n", "",
        "refusals: { file: refused.ndjson }\n", "",
        "insufficient funds", "no money");
    Command changed = accounts.oncefold("run");
    assertThat(changed.exitCode()).isEqualTo(1);
    assertThat(changed.err()).contains("accounts.yaml: ").endsWith(" --accept-change\n");
    assertThat(accounts.oncefold("run", "--accept-change").exitCode()).isZero();
  }

  @Test
  void aTopicIntoATableByAGroupAndOutAgain() throws Exception {
    database();
    topics.make("payments", "receipts", "refused");
    pipeline(
        "source: { file: payments.ndjson }", source(),
        "store: { journal: data }", table(),
        "{ file: receipts.ndjson }", topics.topic("receipts"),
        "{ file: refused.ndjson }", topics.topic("refused"));
    Command check = accounts.oncefold("check");
    assertThat(check.err()).isEmpty();
    assertThat(check.out())
        .contains(
            "with the group " + test, "  output    receipts to the topic " + test + "-receipts\n")
        .doesNotContain(database.password());
    topics.send(PAYMENTS);
    Path yaml = accounts.path("accounts.yaml");
    try (RunningChild one = RunningChild.start(accounts.path("one"), "run", yaml.toString());
        RunningChild two = RunningChild.start(accounts.path("two"), "run", yaml.toString())) {
      one.await(() -> accounts.oncefold("state").out().equals(ALICE + ZOE));
      // What a killed worker has not sent is sent by whoever gets its partition, and here that may
      // be nobody.
      one.await(() -> topics.read("receipts").size() >= 3 && topics.read("refused").size() == 2);
      two.kill();
      topics.send(List.of(payment("p-9", "zoë", "deposit", "1.00", 9), "{\"torn\":"));
      // The fold stops for what it cannot decode, which is told by its position.
      one.await(() -> has(accounts.path("one"), " --refuse " + test + "-payments-"));
    } finally {
      assertThat(accounts.read("one")).doesNotContain(database.password());
    }
    assertThat(topics.read("receipts")).hasSizeGreaterThanOrEqualTo(3).doesNotHaveDuplicates();
    assertThat(topics.read("refused")).hasSize(2);
  }

  private static boolean has(Path log, String text) {
    try {
      return Files.readString(log).contains(text);
    } catch (IOException e) {
      return false;
    }
  }

  /** A topic that takes less than it did, and a source that is called otherwise than it was. */
  @Test
  void whatKeepsOutputsFromLeavingAndIdsFromBeingForgottenIsTold() throws Exception {
    database();
    topics.make("payments", "receipts");
    pipeline(
        "source: { file: payments.ndjson }", source(),
        "store: { journal: data }", table(),
        "{ file: receipts.ndjson }", topics.topic("receipts"),
        "refusals: { file: refused.ndjson }\n", "");
    topics.send(PAYMENTS);
    String yaml = accounts.path("accounts.yaml").toString();
    try (RunningChild run = RunningChild.start(accounts.path("one"), "run", yaml)) {
      run.await(() -> topics.read("receipts").size() == 3);
      largest("receipts", 100);
      topics.send(List.of(payment("p-9", "zoë", "deposit", "1.00", 9)));
      run.await(() -> has(accounts.path("one"), "outputs do not leave: "));
      run.await(() -> has(accounts.path("one"), ", 0 behind\n"));
      assertThat(run.terminate()).as(run.said()).isZero();
      assertThat(run.said())
          .contains("Not everything has left for its topics: ")
          .contains("larger");
    }
    largest("receipts", 1_000_000);
    // As workers leave them that are killed before they have read on.
    sql("update oncefold.partitions set unread = true");
    pipeline(
        "source: { file: payments.ndjson }",
        source().replace(", group", ", name: renamed, group"),
        "store: { journal: data }",
        table(),
        "{ file: receipts.ndjson }",
        topics.topic("receipts"),
        "refusals: { file: refused.ndjson }\n",
        "");
    Command own = accounts.oncefold("run", "--retire", "renamed-0");
    assertThat(own.exitCode()).isEqualTo(1);
    assertThat(own.err()).contains("--retire renamed-0: it is a partition of this source");
    String old = test + "-payments-";
    try (RunningChild run =
        RunningChild.start(accounts.path("two"), "run", yaml, "--retire", old + "0")) {
      run.await(
          () ->
              accounts.oncefold("state", "--json").out().contains("\"unread\":[\"" + old + "1\"]"));
      assertThat(run.said())
          .contains("retired " + old + "0: it holds the floor no longer")
          .contains("note: no ids are forgotten before " + old + "1 is read to the end")
          .contains("start one with --retire " + old + "1");
      // What waited in the lane of the old partition may leave by that of one of them only.
      assertThat(run.terminate()).as(run.said()).isZero();
    }
  }

  private void largest(String topic, int bytes) throws ExecutionException, InterruptedException {
    topics.set(topic, "max.message.bytes", Integer.toString(bytes));
  }

  private void sql(String statement) throws SQLException {
    try (Connection connection = DriverManager.getConnection(database.jdbcUrl(test));
        Statement sql = connection.createStatement()) {
      sql.execute(statement);
    }
  }

  @Test
  void aTopicIntoAJournalAndOutToAFileAndATopic() throws Exception {
    topics.make("payments", "receipts");
    pipeline(
        "source: { file: payments.ndjson }",
        "source: " + topics.topic("payments"),
        "{ file: receipts.ndjson }",
        topics.topic("receipts"));
    topics.send(PAYMENTS);
    Path yaml = accounts.path("accounts.yaml");
    for (int life = 0; life < 2; life++) {
      Path log = accounts.path("log" + life);
      try (RunningChild run = RunningChild.start(log, "run", yaml.toString())) {
        run.await(() -> has(log, "reads all partitions of the topic " + test));
        run.await(() -> accounts.oncefold("state").out().equals(ALICE + ZOE));
        assertThat(run.terminate()).isZero();
        assertThat(run.said()).contains("Stopped. Run it again to go on from here.");
      }
    }
    assertThat(topics.read("receipts"))
        .containsExactlyInAnyOrder(
            "{\"id\":\"accounts/alice/p-1/0\",\"account\":\"alice\",\"balance\":10.00}",
            "{\"id\":\"accounts/alice/p-3/0\",\"account\":\"alice\",\"balance\":7.75}",
            "{\"id\":\"accounts/zoë/p-2/0\",\"account\":\"zoë\",\"balance\":5.50}");
    assertThat(accounts.read("refused.ndjson").lines()).hasSize(2);
    assertThat(accounts.oncefold("history", "alice").out()).contains("\"sequence\":");
    assertThat(accounts.oncefold("run", "--rewrite", "receipts").err())
        .contains("what was sent to Kafka stays there");
  }

  @Test
  void aTopicIntoAnApplicationOfKafkaStreams() throws Exception {
    topics.make("payments", "receipts");
    String refused = "{ kafka: { bootstrap: \"" + broker.bootstrap() + "\", topic: not-there } }";
    String[] lines = {
      "source: { file: payments.ndjson }",
      "source: " + topics.topic("payments"),
      "store: { journal: data }",
      "engine: { kafka-streams: { application: " + test + ", threads: 2 } }",
      "{ file: receipts.ndjson }",
      topics.topic("receipts"),
      "{ file: refused.ndjson }",
      refused
    };
    pipeline(lines);
    topics.set("receipts", "unclean.leader.election.enable", "true");
    Command check = accounts.oncefold("check");
    assertThat(check.err()).isEmpty();
    assertThat(check.exitCode()).isZero();
    assertThat(check.out())
        .contains(
            "  engine    Kafka Streams, the application " + test + " at " + broker.bootstrap(),
            "  warning   there is no topic not-there: make it before",
            "  warning   " + test + "-receipts has unclean.leader.election.enable=true: ",
            "  warning   the cluster has one broker");
    assertThat(accounts.oncefold("check", "--json").out()).contains("\"warnings\":[\"there is no");
    Command nothing = accounts.oncefold("state");
    assertThat(nothing.exitCode()).isEqualTo(1);
    assertThat(nothing.err()).contains("the application has stored nothing yet");

    lines[lines.length - 2] = "refusals: { file: refused.ndjson }\n";
    lines[lines.length - 1] = "";
    pipeline(lines);
    topics.send(PAYMENTS);
    String yaml = accounts.path("accounts.yaml").toString();
    try (RunningChild run = RunningChild.start(accounts.path("one"), "run", yaml)) {
      run.await(() -> accounts.oncefold("state").out().equals(ALICE + ZOE));
      run.await(
          () ->
              accounts
                  .oncefold("state", "zoë", "--json")
                  .out()
                  .equals(ZOE + "{\"keys\":1,\"events\":6}\n"));
      assertThat(run.terminate()).as(run.said()).isZero();
      assertThat(run.said())
          .contains("note: the cluster has one broker")
          .contains("  events                    6              6\n")
          .contains("Stopped. Run it again to go on from here.")
          .contains("2 refusals are only counted");
    }
    assertThat(topics.read("receipts")).hasSize(3).doesNotHaveDuplicates();
    assertThat(accounts.oncefold("history", "zoë").err())
        .contains("in the topics of Kafka Streams");
    assertThat(accounts.oncefold("verify").err()).contains("verify runs a file into a journal");

    topics.send(List.of("{\"torn\":"));
    Command failed = accounts.oncefold("run");
    assertThat(failed.exitCode()).isEqualTo(1);
    assertThat(failed.err()).contains(" --refuse " + test + "-payments-");
    assertThat(failed.out()).contains("; 6 events were judged before");
    accounts.pipeline(accounts.read("accounts.yaml").replace("insufficient funds", "no money"));
    Command changed = accounts.oncefold("run");
    assertThat(changed.exitCode()).isEqualTo(1);
    assertThat(changed.err()).contains("with other rules").endsWith(" --accept-change\n");
    String position = failed.err().replaceFirst("(?s).* --refuse (\\S+).*", "$1");
    try (RunningChild run =
        RunningChild.start(
            accounts.path("two"), "run", yaml, "--accept-change", "--refuse", position)) {
      run.await(() -> accounts.oncefold("state", "--json").out().endsWith("\"events\":7}\n"));
      assertThat(run.terminate()).as(run.said()).isZero();
    }
  }

  @Test
  void serversThatAreNotThereAndAWrongPassword() throws SQLException {
    database();
    String good = table();
    pipeline(
        "store: { journal: data }",
        good.replace("/" + test, "/nowhere"),
        "outputs: { receipts: { file: receipts.ndjson } }\n",
        "",
        "  - emit: { account: event.account, balance: state.balance }\n    to: receipts\n",
        "",
        "refusals: { file: refused.ndjson }\n",
        "");
    assertThat(accounts.oncefold("run").err()).contains("nowhere").doesNotContain("at dev.");
    accounts.pipeline(
        accounts
            .read("accounts.yaml")
            .replace("/nowhere", "/" + test)
            .replaceAll("password: .*", "password: wrong-secret"));
    Command wrong = accounts.oncefold("run");
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.err() + wrong.out()).contains("password").doesNotContain("wrong-secret");
    Command check = accounts.oncefold("check");
    assertThat(check.out() + check.err())
        .contains("the password stands in the file")
        .doesNotContain("wrong-secret");
    accounts.pipeline(
        accounts
            .read("accounts.yaml")
            .replaceAll("password: .*", "password: \\${env:NO_SUCH_VARIABLE}"));
    assertThat(accounts.oncefold("check").err())
        .contains("there is no NO_SUCH_VARIABLE in it: set it");

    pipeline(
        "source: { file: payments.ndjson }",
        "source: { kafka: { bootstrap: \"localhost:1\", topic: payments, properties: {"
            + " default.api.timeout.ms: 2000, request.timeout.ms: 1000 } } }");
    Command away = accounts.oncefold("run");
    assertThat(away.exitCode()).isEqualTo(1);
    assertThat(away.err()).contains("localhost:1").doesNotContain("at dev.");
  }

  @Test
  void aRunIsStoppedWhileTheDatabaseIsAway() throws Exception {
    database();
    topics.make("payments");
    pipeline(
        "source: { file: payments.ndjson }", source(),
        "store: { journal: data }", table(),
        "outputs: { receipts: { file: receipts.ndjson } }\n", "",
        "  - emit: { account: event.account, balance: state.balance }\n    to: receipts\n", "",
        "refusals: { file: refused.ndjson }\n", "");
    topics.send(PAYMENTS);
    Path log = accounts.path("log");
    try (RunningChild run =
        RunningChild.start(log, "run", accounts.path("accounts.yaml").toString())) {
      run.await(() -> accounts.oncefold("state").out().equals(ALICE + ZOE));
      database.kill();
      topics.send(List.of(payment("p-9", "zoë", "deposit", "1.00", 9)));
      assertThat(run.terminate()).as(run.said()).isZero();
      assertThat(run.said()).contains("Stopped. Run it again to go on from here.");
    } finally {
      database.restart();
    }
  }
}
