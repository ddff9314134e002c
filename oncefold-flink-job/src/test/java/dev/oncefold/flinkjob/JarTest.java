package dev.oncefold.flinkjob;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.testkit.Patience;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The jar for {@code flink run}: Flink has nothing of this project, and the jar nothing of Flink.
 */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
@Tag("jar") // it is made after the other tests
class JarTest {
  private static final Path JAR = Path.of(System.getProperty("oncefold.jar"));

  /** What a distribution of Flink brings, and the program {@code flink} with it. */
  private static final Pattern FLINK =
      Pattern.compile(
          "(flink-(?!connector-(kafka|base)).*|kryo|minlog|reflectasm|objenesis|commons-|javassist|slf4j|"
              + "RoaringBitmap|frocksdbjni|forstjni|async-profiler|snappy|snakeyaml-engine).*\\.jar");

  @TempDir Path directory;

  @Test
  void hasTheProgramAndTheServicesOfAllAndNothingOfFlinksOwn() throws IOException {
    try (JarFile jar = new JarFile(JAR.toFile())) {
      assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
          .isEqualTo(Main.class.getName());
      assertThat(jar.stream().map(ZipEntry::getName).filter(name -> name.endsWith(".class")))
          .contains("org/apache/flink/connector/kafka/sink/KafkaSink.class")
          .noneMatch(name -> name.startsWith("org/apache/flink/runtime/"))
          .noneMatch(name -> name.startsWith("org/apache/flink/api/"))
          .noneMatch(name -> name.startsWith("org/slf4j/"))
          .noneMatch(name -> name.startsWith("org/rocksdb/"));
      // Two jars have such a file, and one that overwrites the other loses its formats.
      try (InputStream in =
          jar.getInputStream(
              jar.getEntry("META-INF/services/com.fasterxml.jackson.core.JsonFactory"))) {
        assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
            .contains("JsonFactory", "YAMLFactory");
      }
    }
  }

  @Test
  void runsInAClusterThatHasFlinkAloneAndGoesOnFromItsSavepoint() throws Exception {
    try (KafkaBroker broker = KafkaBroker.start(directory.resolve("kafka"));
        Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
        URLClassLoader flink = flink()) {
      admin
          .createTopics(
              Stream.of("payments", "receipts").map(n -> new NewTopic(n, 1, (short) 1)).toList())
          .all()
          .get();
      Path pipeline = pipeline(broker.bootstrap());
      Object session =
          in(flink, () -> flink.loadClass(Session.class.getName()).getConstructor().newInstance());
      try {
        send(broker, "p-1", "p-2", "p-1");
        assertThat(flink(session, "run", "--detached", JAR.toString(), pipeline.toString()))
            .isZero();
        awaitReceipts(broker, 2);
        String job = job(session, "RUNNING");
        assertThat(flink(session, "stop", "--savepointPath=" + checkpoints(), job)).isZero();
        job(session, "FINISHED");
        // Without its state it would apply everything again.
        assertThat(flink(session, "run", "--detached", JAR.toString(), pipeline.toString()))
            .isZero();
        assertThat((String) call(session, "failure", String.class, job(session, "FAILED")))
            .contains("has run before");
        send(broker, "p-2", "p-3");
        assertThat(
                flink(
                    session,
                    "run",
                    "--detached",
                    "--fromSavepoint=" + savepoint(),
                    JAR.toString(),
                    pipeline.toString()))
            .isZero();
        awaitReceipts(broker, 3);
        assertThat(receipts(broker)).hasSize(3).doesNotHaveDuplicates();
      } finally {
        call(session, "close");
      }
    }
  }

  private Path pipeline(String bootstrap) throws IOException {
    return Files.writeString(
        directory.resolve("accounts.yaml"),
        """
        name: accounts
        source: { kafka: { bootstrap: "%1$s", topic: payments } }
        engine: { flink: { checkpoints: { directory: checkpoints, interval: PT0.1S } } }
        types: { id: string, account: string }
        event: { id: event.id, key: event.account, remember: forever }
        state: { payments: int 0 }
        update:
          - set: { payments: state.payments + 1 }
          - emit: { account: event.account, payments: state.payments }
            to: receipts
        outputs: { receipts: { kafka: { bootstrap: "%1$s", topic: receipts } } }
        """
            .formatted(bootstrap));
  }

  private String checkpoints() {
    return directory.resolve("checkpoints").toUri().toString();
  }

  private String savepoint() throws IOException {
    try (Stream<Path> all = Files.list(directory.resolve("checkpoints"))) {
      return all.filter(each -> String.valueOf(each.getFileName()).startsWith("savepoint-"))
          .findFirst()
          .orElseThrow()
          .toUri()
          .toString();
    }
  }

  // ---------------------------------------------------------------- Kafka

  private static void send(KafkaBroker broker, String... ids) throws Exception {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new StringSerializer(),
            new StringSerializer())) {
      for (String id : ids) {
        String payment = "{\"id\":\"" + id + "\",\"account\":\"alice\"}";
        producer.send(new ProducerRecord<>("payments", payment)).get();
      }
    }
  }

  private static List<String> receipts(KafkaBroker broker) {
    List<String> receipts = new ArrayList<>();
    TopicPartition partition = new TopicPartition("receipts", 0);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", broker.bootstrap(),
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest"),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(record -> receipts.add(record.value()));
      }
    }
    return receipts;
  }

  private static void awaitReceipts(KafkaBroker broker, int count) throws Exception {
    Patience.await(
        Patience.USUAL, () -> receipts(broker).size() >= count ? null : count + " receipts");
  }

  // ---------------------------------------------------------------- Flink

  private static URLClassLoader flink() throws IOException {
    List<URL> urls = new ArrayList<>();
    for (String each : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path entry = Path.of(each);
      if (entry.endsWith("test-classes")
          || FLINK.matcher(String.valueOf(entry.getFileName())).matches()) {
        urls.add(entry.toUri().toURL());
      }
    }
    return new URLClassLoader(
        "flink", urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
  }

  private static int flink(Object session, String... args) throws Exception {
    return (int) call(session, "flink", Collection.class, Arrays.asList(args));
  }

  /** Waits for the newest job to be so, and answers its number. */
  private static String job(Object session, String state) throws Exception {
    List<String> found = new ArrayList<>();
    Patience.await(
        Patience.USUAL,
        () -> {
          Collection<?> jobs = (Collection<?>) call(session, "jobs");
          for (Object each : jobs) {
            if (each.toString().endsWith(" " + state)) {
              found.add(each.toString().split(" ", -1)[1]);
              return null;
            }
          }
          return "a job that is " + state + " among " + jobs;
        });
    return found.get(0);
  }

  private static Object call(Object on, String name) throws Exception {
    return in(loader(on), () -> on.getClass().getMethod(name).invoke(on));
  }

  private static Object call(Object on, String name, Class<?> type, Object argument)
      throws Exception {
    return in(loader(on), () -> on.getClass().getMethod(name, type).invoke(on, argument));
  }

  private static ClassLoader loader(Object on) {
    return on.getClass().getClassLoader();
  }

  /** What a call throws and answers. */
  private interface Call {
    Object call() throws Exception;
  }

  private static Object in(ClassLoader loader, Call call) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return call.call();
    } finally {
      thread.setContextClassLoader(before);
    }
  }
}
