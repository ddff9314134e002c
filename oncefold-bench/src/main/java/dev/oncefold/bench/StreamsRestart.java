package dev.oncefold.bench;

import dev.oncefold.Event;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * How long an application of Kafka Streams takes from its start until it is RUNNING, after the
 * process before it was killed with SIGKILL and the group has noticed: the restore of its state.
 */
final class StreamsRestart {
  private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(2);

  private StreamsRestart() {}

  static void run(Settings settings) throws Exception {
    int keys = settings.number("keys", 1_000_000);
    String only = settings.text("only", "");
    try (StreamsRig rig = StreamsRig.start(settings)) {
      rig.fill(() -> IntStream.range(0, keys).mapToObj(StreamsRestart::deposit).iterator());
      for (Way kind : Way.EVERYWHERE) {
        if (kind.isMeant(only)) {
          measure(rig, kind, keys);
          System.gc();
        }
      }
    }
  }

  private static Event<Workload.Payment> deposit(int i) {
    String account = "account-" + i;
    return new Event<>(
        "pay-" + i,
        account,
        Workload.BEGIN.plusMillis(i),
        new Workload.Payment(account, "deposit", 1 + i % 10_000));
  }

  private static void measure(StreamsRig rig, Way kind, int keys) throws Exception {
    String application = kind.name.replace(' ', '-');
    String outputs = application + "-receipts";
    Path state = rig.directory().resolve(application);
    rig.create(outputs);
    Process child =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx2g",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "streams-restart-fill",
                "kind=" + kind,
                "bootstrap=" + rig.bootstrap(),
                "application=" + application,
                "outputs=" + outputs,
                "state=" + state)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      if (!"running".equals(out.readLine())) {
        throw new IllegalStateException("the child did not start " + kind.name);
      }
      rig.await(
          application,
          keys,
          () -> {
            if (!child.isAlive()) {
              throw new IllegalStateException("the child with " + kind.name + " has died");
            }
          });
    } finally {
      child.destroyForcibly().waitFor();
    }
    rig.awaitEmpty(application);
    long begin = System.nanoTime();
    try (StreamsPeer peer =
        StreamsPeer.start(kind, rig.bootstrap(), application, outputs, state, Map.of())) {
      while (!peer.isRunning()) {
        peer.check();
        LockSupport.parkNanos(PAUSE);
      }
      System.out.printf(
          "%-20s  %,d keys: RUNNING %.2f s after the start that follows kill -9%n",
          kind.name, keys, (System.nanoTime() - begin) / 1e9);
    }
  }

  /** The child: works until it is killed. Its session is short, so that its death is soon seen. */
  static void fill(Settings settings) throws IOException {
    var unused =
        StreamsPeer.start(
            Way.valueOf(settings.text("kind", "")),
            settings.text("bootstrap", ""),
            settings.text("application", ""),
            settings.text("outputs", ""),
            Path.of(settings.text("state", "")),
            Map.of("session.timeout.ms", 6_000, "heartbeat.interval.ms", 1_000));
    System.out.println("running");
    System.out.flush();
    System.in.read();
  }
}
