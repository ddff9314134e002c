package dev.oncefold.bench;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Debezium's JDBC sink in Kafka Connect, in a process of its own with the jars of {@code
 * oncefold-bench/connect}. It sets a row to what the last event of its key says, at least once: a
 * sink cannot add up.
 */
final class ConnectSink implements Peer {
  private final Settings settings;
  private @Nullable Process process;
  private @Nullable Path log;

  ConnectSink(Settings settings) {
    this.settings = settings;
  }

  @Override
  public String name() {
    return "debezium sink";
  }

  @Override
  public String marks() {
    return "cents";
  }

  @Override
  public void start(Rig rig, String topic) throws IOException {
    Path jars = Path.of(settings.text("connect", "oncefold-bench/connect/target/lib"));
    if (!Files.isDirectory(jars)) {
      throw new IOException(
          "no "
              + jars
              + ": build it with mvn -f oncefold-bench/connect/pom.xml package, or say where it is"
              + " with connect=DIRECTORY");
    }
    String batch = settings.text("sink_batch", "4000");
    Path directory = Files.createTempDirectory(rig.directory(), "connect");
    Path worker = directory.resolve("worker.properties");
    store(
        worker,
        Map.of(
            "bootstrap.servers", rig.bootstrap(),
            "listeners", "http://127.0.0.1:0",
            "plugin.discovery", "only_scan",
            "offset.storage.file.filename", directory.resolve("offsets").toString(),
            "key.converter", "dev.oncefold.bench.connect.PaymentConverter",
            "value.converter", "dev.oncefold.bench.connect.PaymentConverter"));
    Path sink = directory.resolve("sink.properties");
    store(
        sink,
        Map.ofEntries(
            Map.entry("name", "sink-" + System.nanoTime()),
            Map.entry("connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector"),
            Map.entry("tasks.max", "1"),
            Map.entry("topics", topic),
            Map.entry("consumer.override.max.poll.records", batch),
            Map.entry("consumer.override.auto.offset.reset", "earliest"),
            Map.entry(
                "connection.url",
                // A row once a batch by the reduction buffer, so that many become one statement.
                "jdbc:postgresql://127.0.0.1:%d/postgres?reWriteBatchedInserts=true"
                    .formatted(rig.database().address().getPort())),
            Map.entry("connection.username", rig.database().user()),
            Map.entry("connection.password", rig.database().password()),
            Map.entry("insert.mode", "upsert"),
            Map.entry("primary.key.mode", "record_key"),
            Map.entry("primary.key.fields", "key"),
            Map.entry("table.name.format", Rig.TABLE),
            Map.entry("collection.name.format", Rig.TABLE),
            Map.entry("schema.evolution", "none"),
            Map.entry("use.reduction.buffer", "true"),
            Map.entry("batch.size", batch)));
    log = directory.resolve("connect.log");
    process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx1g",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                    "-cp",
                    jars + "/*",
                    "org.apache.kafka.connect.cli.ConnectStandalone",
                    worker.toString(),
                    sink.toString()))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
  }

  private static void store(Path file, Map<String, String> settings) throws IOException {
    Properties properties = new Properties();
    properties.putAll(settings);
    try (Writer writer = Files.newBufferedWriter(file)) {
      properties.store(writer, null);
    }
  }

  @Override
  public void check() throws IOException {
    if (process != null && !process.isAlive()) {
      throw new IOException("Kafka Connect ended. " + says());
    }
  }

  @Override
  public String says() throws IOException {
    if (log == null) {
      return "";
    }
    List<String> lines = Files.readAllLines(log);
    return "The end of its log:\n"
        + String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
  }

  @Override
  public void stop() throws InterruptedException {
    if (process != null) {
      process.destroy();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    }
  }
}
