package dev.oncefold.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Event;
import dev.oncefold.Row;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pipelines of topics and tables: what they say, and events from the records of a topic. */
class TopicsTest {
  private static final Path EXAMPLE = Path.of("..", "examples", "kafka-postgres", "accounts.yaml");

  @TempDir Path directory;

  /** A record. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Sent(
      byte @Nullable [] key, byte @Nullable [] value, long timestamp, Map<String, byte[]> headers)
      implements TopicRecord {
    @Override
    public byte @Nullable [] header(String name) {
      return headers.get(name);
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(UTF_8);
  }

  private static final byte[] VALUE =
      utf8(
          "{\"id\":\"p-1\",\"account\":\"alice\",\"amount\":1.50,\"at\":\"2026-01-01T00:00:00Z\"}");

  private Pipeline pipeline(String event) throws IOException {
    return Pipeline.load(
        Files.writeString(
            directory.resolve("p.yaml"),
            """
            name: accounts
            source: { kafka: { bootstrap: "localhost:9092", topic: payments } }
            types: { id: string, account: string, amount: decimal(2), at: time }
            event: %s
            state: { balance: decimal(2) 0.00 }
            update:
              - set: { balance: state.balance + event.amount }
            store: { journal: data }
            """
                .formatted(event)));
  }

  private static final String OF_PARTS =
      "{ id: 'record.headers.`event-id`', key: record.key + \"/\" + record.headers.tenant, time:"
          + " record.time, remember: P7D }";

  @Test
  void anEngineKeepsTheState() throws IOException {
    Pipeline pipeline = Pipeline.load(Path.of("..", "examples", "kafka-streams", "accounts.yaml"));
    assertThat(pipeline.store())
        .isEqualTo(
            new Storage.KafkaStreams("accounts", "localhost:9092", 1, true, 0, Settings.NONE));
    assertThat(Pipeline.stored(pipeline.file()).store()).isEqualTo(pipeline.store());
    assertThat(pipeline.notes()).isEmpty();
    String text = Files.readString(pipeline.file());
    Pipeline options =
        Pipeline.load(
            Files.writeString(
                directory.resolve("p.yaml"),
                text.replace(
                    "engine: kafka-streams",
                    "engine: { kafka-streams: { application: of-bank, threads: 3, repartition: false,"
                        + " properties: { ssl.truststore.password: \"${file:secret}\" } } }")));
    assertThat(options.store())
        .isEqualTo(
            new Storage.KafkaStreams(
                "of-bank",
                "localhost:9092",
                3,
                false,
                0,
                new Settings(
                    Map.of(
                        "ssl.truststore.password",
                        "${file:" + directory.resolve("secret") + "}"))));
    assertThat(options.notes()).singleElement().asString().contains("gets several states");
    assertThatThrownBy(() -> Pipeline.load(pipeline.file(), "-", InputStream.nullInputStream()))
        .hasMessageContaining("standard input is none");
    Path without =
        Files.writeString(
            directory.resolve("without.yaml"), text.replaceAll("(?m)^source: .*\n", ""));
    assertThatThrownBy(() -> Pipeline.stored(without))
        .hasMessageContaining("an engine keeps the state in the cluster of the source: write");
  }

  @Test
  void theExampleSaysWhereEverythingIs() {
    Pipeline pipeline = Pipeline.load(EXAMPLE);
    assertThat(pipeline.origin())
        .isEqualTo(
            new Origin.Kafka(
                "localhost:9092",
                "payments",
                "accounts",
                Origin.Start.BEGINNING,
                "payments",
                Settings.NONE));
    assertThat(pipeline.store())
        .isEqualTo(
            new Storage.Postgres(
                "jdbc:postgresql://localhost:5432/bank",
                "accounts",
                "account",
                "oncefold",
                Storage.Keys.OWNED,
                new Settings(Map.of("user", "bank", "password", "${env:BANK_PASSWORD}"))));
    assertThat(pipeline.outputs())
        .containsExactly(
            Map.entry(
                "receipts", new Destination.Kafka("localhost:9092", "receipts", Settings.NONE)));
    assertThat(pipeline.refusals())
        .isEqualTo(new Destination.Kafka("localhost:9092", "refused", Settings.NONE));
    assertThat(pipeline.format()).isEqualTo("JSON");
    assertThat(pipeline.notes()).isEmpty();
    assertThat(Pipeline.stored(EXAMPLE).store()).isEqualTo(pipeline.store());
  }

  @Test
  void valuesOfSettingsAreNotTold() {
    Settings settings = new Settings(Map.of("sasl.jaas.config", "hidden"));
    assertThat(new Origin.Kafka("a:1", "t", null, Origin.Start.END, "t", settings).toString())
        .contains("sasl.jaas.config")
        .doesNotContain("hidden");
    assertThat(new Storage.Postgres("u", "t", "key", "s", Storage.Keys.OWNED, settings).toString())
        .doesNotContain("hidden");
    assertThat(new Destination.Kafka("a:1", "t", settings).toString()).doesNotContain("hidden");
  }

  @Test
  void referencesToFilesStartAtThePipeline() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("p.yaml"),
            Files.readString(EXAMPLE).replace("${env:BANK_PASSWORD}", "${file:secret}"));
    Storage.Postgres store = (Storage.Postgres) Pipeline.load(file).store();
    assertThat(store.properties().values())
        .containsEntry("password", "${file:" + directory.resolve("secret") + "}");
  }

  @Test
  void flinkKeepsTheStateInCheckpoints() throws IOException {
    Pipeline pipeline = Pipeline.load(Path.of("..", "examples", "flink", "accounts.yaml"));
    Path beside = pipeline.file().toAbsolutePath().normalize().resolveSibling("checkpoints");
    assertThat(pipeline.store())
        .isEqualTo(
            new Storage.Flink(
                "accounts",
                "localhost:9092",
                0,
                new Storage.Checkpoints(
                    "file://" + beside, Duration.ofSeconds(1), Duration.ofMinutes(10)),
                Storage.Backend.HASHMAP,
                Settings.NONE));
    assertThat(Pipeline.stored(pipeline.file()).store()).isEqualTo(pipeline.store());
    assertThat(pipeline.notes()).isEmpty();
    // As in a task of another machine, where there is no such file.
    Pipeline shipped =
        Pipeline.load(
            directory.resolve("elsewhere.yaml"),
            Pipeline.text(pipeline.file())
                .replace("directory: checkpoints", "directory: s3://bank/checkpoints/")
                .replace("flink: { ", "flink: { name: of-bank, parallelism: 3, backend: forst, "));
    assertThat(shipped.store())
        .isEqualTo(
            new Storage.Flink(
                "of-bank",
                "localhost:9092",
                3,
                new Storage.Checkpoints(
                    "s3://bank/checkpoints", Duration.ofSeconds(1), Duration.ofMinutes(10)),
                Storage.Backend.FORST,
                Settings.NONE));
    assertThat(shipped.fold().rules()).isEqualTo(pipeline.fold().rules());
  }

  @Test
  void anEventIsReadAsALineOfAFileIs() throws Exception {
    Event<Row> event =
        Pipeline.load(EXAMPLE)
            .event(
                new Sent(
                    new byte[] {(byte) 0xff},
                    utf8(
                        "{\"id\":\"p-1\",\"account\":\"alice\",\"type\":\"deposit\",\"amount\":1.50,"
                            + "\"at\":\"2026-01-01T00:00:00Z\"}"),
                    5,
                    Map.of()));
    assertThat(event.id()).isEqualTo("p-1");
    assertThat(event.key()).isEqualTo("alice");
    assertThat(event.time()).isEqualTo(Instant.parse("2026-01-01T00:00:00Z"));
    assertThat(event.value().get("amount")).isEqualTo(new BigDecimal("1.50"));
  }

  @Test
  void idKeyAndTimeFromThePartsOfARecord() throws Exception {
    Pipeline pipeline = pipeline(OF_PARTS);
    Map<String, byte[]> headers = Map.of("event-id", utf8("e-1"), "tenant", utf8("zoë"));
    Event<Row> event = pipeline.event(new Sent(utf8("alice"), VALUE, 1_000, headers));
    assertThat(event.id()).isEqualTo("e-1");
    assertThat(event.key()).isEqualTo("alice/zoë");
    assertThat(event.time()).isEqualTo(Instant.ofEpochSecond(1));
    assertThat(pipeline.notes()).singleElement().asString().startsWith("record.time is another");
  }

  private void fails(String event, Sent record, String reason) throws IOException {
    Pipeline pipeline = pipeline(event);
    assertThatThrownBy(() -> pipeline.event(record))
        .hasMessage(reason.replace("HERE", "(p.yaml:4)"));
  }

  @Test
  void whatNoEventCanBeMadeOf() throws IOException {
    String plain = "{ id: event.id, key: event.account, time: event.at, remember: P7D }";
    byte[] key = utf8("alice");
    fails(plain, new Sent(key, null, 0, Map.of()), "the record has no value: it is a tombstone");
    fails(plain, new Sent(key, utf8(" "), 0, Map.of()), "the record's value is empty");
    fails(
        plain,
        new Sent(key, utf8("[]"), 0, Map.of()),
        "the record is no JSON object: it begins with a list");
    fails(plain, new Sent(key, utf8("{}"), 0, Map.of()), "id is missing");
    fails(
        OF_PARTS,
        new Sent(key, VALUE, 0, Map.of("tenant", utf8("x"))),
        "id HERE: record.headers.event-id is missing");
    fails(
        OF_PARTS,
        new Sent(new byte[] {(byte) 0xff}, VALUE, 0, Map.of()),
        "record.key is no text in UTF-8");
    fails(
        OF_PARTS,
        new Sent(key, VALUE, -1, Map.of("event-id", utf8("e"), "tenant", utf8("x"))),
        "time HERE: record.time is missing");
  }
}
