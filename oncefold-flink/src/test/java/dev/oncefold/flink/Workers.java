package dev.oncefold.flink;

import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.HostedEngine;
import dev.oncefold.testkit.MoveFeed;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.ClassArchive;
import dev.oncefold.verify.TraceModel.Move;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * How the processes of the crash runs start: they load the classes of Flink and Kafka from an
 * archive, which one of them makes for all.
 */
final class Workers {
  private static final String NAME = "archive";
  private static @Nullable List<String> options;

  private Workers() {}

  /**
   * Options for their Java.
   *
   * @param bootstrap a broker
   */
  static synchronized List<String> options(String bootstrap)
      throws IOException, InterruptedException {
    List<String> made = options;
    if (made == null) {
      Path directory =
          Files.createTempDirectory(Files.createDirectories(Path.of("target")), "classes");
      made = new ArrayList<>(Child.shortLived());
      made.addAll(ClassArchive.of(Workers.class, directory, bootstrap, directory.toString()));
      made.add("-Xmx768m");
      // One that is killed leaves Flink's files behind, a jar of some MB among them.
      Path left = Files.createDirectory(directory.resolve("tmp")).toAbsolutePath();
      made.add("-Djava.io.tmpdir=" + left);
      // Flink tells much of jobs that die on purpose.
      String logging = System.getProperty("java.util.logging.config.file");
      if (logging != null) {
        made.add("-Djava.util.logging.config.file=" + logging);
      }
      options = made;
    }
    return made;
  }

  /** Takes one event from a topic to another, as workers do. */
  public static void main(String[] args) throws Exception {
    makeTopics(args[0], NAME, 1);
    try (InputTopic input = new InputTopic(args[0], CrashWorker.input(NAME))) {
      input.send(0, "k", "e", new Move(1, List.of("k"), List.of(1L)).text()).call();
      input.send(0, "k", "x", MoveFeed.NO_EVENT).call();
    }
    Path own = Files.createDirectory(Path.of(args[1], "life"));
    CrashWorker.Life life = new CrashWorker.Life(args[0], NAME, own, null, 1, false, false);
    new CrashWorker().run(List.of(life.args()), new UntilSent(args[0]));
    // Flink's threads would not end by themselves.
    System.exit(0);
  }

  /** The topics of a job. */
  static void makeTopics(String bootstrap, String name, int partitions) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(CrashWorker.input(name), partitions, (short) 1),
                  new NewTopic(CrashWorker.outputs(name), 2, (short) 1),
                  new NewTopic(CrashWorker.refusals(name), 1, (short) 1)))
          .all()
          .get();
    }
  }

  private record UntilSent(String bootstrap) implements HostedEngine.Run {
    @Override
    public void ready() {}

    @Override
    public boolean over() {
      TopicPartition refused = new TopicPartition(CrashWorker.refusals(NAME), 0);
      return Committed.ends(bootstrap, List.of(refused)).getOrDefault(refused, 0L) > 0;
    }
  }
}
