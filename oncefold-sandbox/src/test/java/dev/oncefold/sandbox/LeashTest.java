package dev.oncefold.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No server outlives the program that has started it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class LeashTest {
  @TempDir Path directory;

  /** Starts them, tells their numbers, and waits. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      List<Long> all = args[1].equals("cluster") ? cluster(directory) : both(directory, args[1]);
      Path told = directory.resolve("told");
      Files.writeString(told, all.stream().map(String::valueOf).collect(Collectors.joining("\n")));
      Files.move(told, directory.resolve("pids"));
      while (true) {
        LockSupport.park();
      }
    }

    private static List<Long> both(Path directory, String how) throws Exception {
      KafkaBroker broker = KafkaBroker.start(directory.resolve("kafka"));
      PostgresServer server = PostgresServer.start(directory.resolve("postgres"));
      List<Long> all =
          Stream.concat(
                  Stream.of(broker.pid(), server.pid()),
                  ProcessHandle.of(server.pid())
                      .orElseThrow()
                      .descendants()
                      .map(ProcessHandle::pid))
              .toList();
      if (how.equals("paused")) {
        broker.pause();
        server.pause();
      }
      return all;
    }

    private static List<Long> cluster(Path directory) throws Exception {
      KafkaCluster cluster = KafkaCluster.in(directory.resolve("cluster"), 3).start();
      cluster.broker(2).pause();
      return cluster.brokers().stream().map(KafkaBroker::pid).toList();
    }
  }

  /** As a program is packed that names its libraries in its manifest. */
  private Path jar() throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Program.class.getName());
    manifest
        .getMainAttributes()
        .put(
            Attributes.Name.CLASS_PATH,
            Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toUri().toString())
                .collect(Collectors.joining(" ")));
    Path jar = directory.resolve("program.jar");
    try (OutputStream out = Files.newOutputStream(jar)) {
      new JarOutputStream(out, manifest).close();
    }
    return jar;
  }

  private static String words(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"running", "paused", "cluster"})
  void allEndWithAProgramThatIsKilled(String how) throws Exception {
    Path log = directory.resolve("log");
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-jar",
                jar().toString(),
                directory.toString(),
                how)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    List<ProcessHandle> servers;
    try {
      Path pids = directory.resolve("pids");
      while (!Files.exists(pids)) {
        assertThat(program.isAlive()).as(() -> words(log)).isTrue();
        LockSupport.parkNanos(1_000_000);
      }
      servers =
          Files.readAllLines(pids).stream()
              .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream())
              .toList();
      assertThat(servers)
          .hasSizeGreaterThan(how.equals("cluster") ? 2 : 5)
          .allMatch(ProcessHandle::isAlive);
    } finally {
      program.destroyForcibly();
    }
    for (ProcessHandle server : servers) {
      assertThat(server.onExit()).succeedsWithin(Duration.ofSeconds(30));
    }
  }
}
