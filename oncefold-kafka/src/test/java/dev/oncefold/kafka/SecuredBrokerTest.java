package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Sink;
import dev.oncefold.SourceException;
import dev.oncefold.sandbox.KafkaBroker;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A broker that takes clients by TLS alone, and lets them in by a password (SASL). */
class SecuredBrokerTest {
  private static final String STORE_PASSWORD = "store-password";
  private static final String PASSWORD = "correct-horse-battery";
  private static final String LOGIN =
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"app\"";

  @TempDir static Path directory;
  private static Cluster cluster;
  private static String secured = "";
  private static Path store;
  private static Path password;

  @BeforeAll
  static void start() throws Exception {
    store = keyStore("broker.p12");
    password = Files.writeString(directory.resolve("password"), PASSWORD + "\n");
    KafkaBroker broker =
        KafkaBroker.in(Files.createDirectory(directory.resolve("broker")))
            .with(
                "listener.security.protocol.map",
                "DIRECT:PLAINTEXT,PROXIED:SASL_SSL,CONTROLLER:PLAINTEXT")
            .with("listener.name.proxied.ssl.keystore.location", store.toString())
            .with("listener.name.proxied.ssl.keystore.password", STORE_PASSWORD)
            .with("listener.name.proxied.sasl.enabled.mechanisms", "PLAIN")
            .with(
                "listener.name.proxied.plain.sasl.jaas.config",
                LOGIN + " password=\"unused\" user_app=\"" + PASSWORD + "\";")
            .start();
    cluster = Cluster.of(broker);
    InetSocketAddress second = broker.second();
    secured = second.getHostString() + ":" + second.getPort();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.close();
  }

  /** A key, and a certificate for it that says localhost. */
  private static Path keyStore(String name) throws Exception {
    Path made = directory.resolve(name);
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "broker",
                "-keyalg",
                "RSA",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=dns:localhost,ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                made.toString(),
                "-storepass",
                STORE_PASSWORD)
            .redirectErrorStream(true)
            .start();
    String said = Cluster.text(keytool.getInputStream().readAllBytes());
    assertThat(keytool.waitFor()).as(said).isZero();
    return made;
  }

  private static Map<String, String> settings(String login) {
    return new HashMap<>(
        Map.of(
            "security.protocol",
            "SASL_SSL",
            "ssl.truststore.location",
            store.toString(),
            "ssl.truststore.password",
            STORE_PASSWORD,
            "sasl.mechanism",
            "PLAIN",
            "sasl.jaas.config",
            login));
  }

  private static Map<String, String> allowed() {
    return settings(LOGIN + " password=\"${file:" + password + "}\";");
  }

  private static KafkaSource<String> source(String topic, Map<String, String> settings) {
    return Reading.of(secured, topic).with(settings);
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void aGroupReadsByTlsWithAPasswordFromAFile(String protocol) throws Exception {
    String topic = cluster.topic(1);
    cluster.produce(topic, 0, "a", "b", "c");
    Map<String, String> settings = allowed();
    settings.put("group.protocol", protocol);
    try (Reading reading = new Reading(source(topic, settings).group(Cluster.name("g")))) {
      assertThat(reading.untilValues(3).values).containsExactly("a", "b", "c");
    }
  }

  @Test
  void outputsAreWrittenByTlsInTransactions() throws Exception {
    String receipts = cluster.topic(1);
    String name = Cluster.name("sink");
    try (KafkaSink sink = KafkaSink.of(secured, name).output("receipts", receipts).with(allowed());
        Sink.Lane lane = sink.open("t-0")) {
      lane.write(List.of(KafkaSinkTest.receipt("k", 1), KafkaSinkTest.receipt("k", 2)), 2);
      assertThat(lane.position()).isEqualTo(2);
    }
    assertThat(cluster.committed(receipts)).hasSize(2);
  }

  @Test
  void whoIsNotLetInIsToldWhereToLookAndNoPassword() throws Exception {
    String topic = cluster.topic(1);
    try (KafkaSource<String> source =
        source(topic, settings(LOGIN + " password=\"of-another-door\";"))) {
      assertThatThrownBy(source::partitions)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("security.protocol")
          .hasMessageContaining("sasl")
          .message()
          .doesNotContain("of-another-door");
    }
  }

  @Test
  void aBrokerWhoseCertificateIsNotTrustedIsRefused() throws Exception {
    String topic = cluster.topic(1);
    Map<String, String> settings = allowed();
    settings.put("ssl.truststore.location", keyStore("other.p12").toString());
    try (KafkaSource<String> source = source(topic, settings)) {
      assertThatThrownBy(source::partitions)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("ssl");
    }
  }
}
