package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** No secret is in a log, a message or a stack trace, whatever Kafka's clients are told to log. */
@Isolated("all of Kafka's clients log what they have while it runs")
class SecretsTest {
  private static final String SECRET = "correct-horse-battery";

  @TempDir Path directory;
  private final List<String> logged = new CopyOnWriteArrayList<>();
  // Held, so that its level is not forgotten.
  private final Logger kafka = Logger.getLogger("org.apache.kafka");
  private final Handler all =
      new Handler() {
        private final SimpleFormatter formatter = new SimpleFormatter();

        @Override
        public void publish(LogRecord log) {
          logged.add(formatter.format(log));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() {
    kafka.setLevel(Level.ALL);
    kafka.setUseParentHandlers(false);
    kafka.addHandler(all);
  }

  @AfterEach
  void listenNoMore() {
    kafka.removeHandler(all);
    kafka.setLevel(Level.WARNING);
  }

  private static String trace(Throwable thrown) {
    StringWriter trace = new StringWriter();
    thrown.printStackTrace(new PrintWriter(trace));
    return trace.toString();
  }

  private Map<String, String> sasl(String options) {
    return Map.of(
        "security.protocol",
        "SASL_PLAINTEXT",
        "sasl.mechanism",
        "PLAIN",
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required " + options,
        "default.api.timeout.ms",
        "500",
        "request.timeout.ms",
        "400");
  }

  /** Runs into an error with properties, and looks everywhere. */
  private void nowhere(Map<String, String> properties) {
    KafkaSource<String> source =
        KafkaSource.<String>of("127.0.0.1:1", "t", record -> null).group("g").with(properties);
    Throwable thrown;
    try (source) {
      thrown = catchThrowable(source::partitions);
    }
    assertThat(trace(thrown)).contains("SourceException").doesNotContain(SECRET);
    assertThat(source.toString()).doesNotContain(SECRET);
    assertThat(logged).isNotEmpty().noneMatch(line -> line.contains(SECRET));
  }

  @Test
  void aPasswordInTheSettings() {
    nowhere(sasl("username=\"u\" password=\"" + SECRET + "\";"));
    assertThat(logged).as("the settings were logged").anyMatch(line -> line.contains("[hidden]"));
  }

  @Test
  void aPasswordFromAFile() throws Exception {
    Path file = Files.writeString(directory.resolve("password"), SECRET + "\n");
    nowhere(sasl("username=\"u\" password=\"${file:" + file + "}\";"));
  }

  @Test
  void aPasswordInAJaasSettingThatCannotBeParsed() throws Exception {
    Path file = Files.writeString(directory.resolve("password"), SECRET + "\n");
    nowhere(sasl("username=\"u\" password=${file:" + file + "} ${file:" + file + "} ;;"));
    nowhere(sasl(SECRET + "=" + SECRET + " x"));
  }

  @Test
  void aSecretInASettingThatIsNoSecretToKafka() throws Exception {
    Path file = Files.writeString(directory.resolve("password"), SECRET + "\n");
    nowhere(Map.of("session.timeout.ms", "${file:" + file + "}"));
    nowhere(Map.of("sasl.login.class", "${file:" + file + "}", "security.protocol", "SASL_SSL"));
    nowhere(Map.of("auto.offset.reset", "${file:" + file + "}"));
    nowhere(
        Map.of(
            "of.my.plug-in",
            "${file:" + file + "}",
            "default.api.timeout.ms",
            "500",
            "request.timeout.ms",
            "400"));
  }

  @Test
  void aKeyStorePassword() {
    nowhere(
        Map.of(
            "security.protocol", "SSL",
            "ssl.keystore.location", "/no/such/store",
            "ssl.keystore.password", SECRET));
  }
}
