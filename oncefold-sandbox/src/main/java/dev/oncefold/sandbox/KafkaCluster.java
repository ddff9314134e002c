package dev.oncefold.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.RetriableException;

/**
 * Brokers in one cluster, each a process of its own that is killed, paused and restarted by itself.
 * All of them are its controllers, too, so that more than half must be up for it to choose leaders.
 *
 * <pre>{@code
 * try (KafkaCluster cluster = KafkaCluster.in(directory, 3).start()) {
 *   properties.put("bootstrap.servers", cluster.bootstrap());
 *   cluster.broker(2).kill();
 *   cluster.broker(2).restart();
 *   cluster.awaitInSync();
 *   cluster.broker(1).kill();
 * }
 * }</pre>
 *
 * <p>With three brokers or more, Kafka's own topics have three replicas, and so have those that are
 * made without a number; of three replicas two must have a record before it is acknowledged. What
 * was acknowledged outlives the death of any one broker; of another one only when all replicas are
 * {@linkplain #awaitInSync in sync} again.
 *
 * <p>Safe for use by several threads, as its brokers are.
 */
public final class KafkaCluster implements AutoCloseable {
  private static final int REPLICAS = 3;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path identity;
  private final List<KafkaBroker> brokers;

  private KafkaCluster(Path identity, List<KafkaBroker> brokers) {
    this.identity = identity;
    this.brokers = List.copyOf(brokers);
  }

  /**
   * A cluster that is not started yet.
   *
   * @param directory for all its brokers write, made if absent; what a cluster of as many brokers
   *     has left there is taken over
   * @param size how many brokers it has; their ids count from 1
   * @return the cluster, whose ports are chosen
   * @throws IOException if there is no directory, or no free port
   */
  public static KafkaCluster in(Path directory, int size) throws IOException {
    if (size < 1) {
      throw new IllegalArgumentException("a cluster has at least one broker, not " + size);
    }
    Path made = Files.createDirectories(directory.toAbsolutePath().normalize());
    Path identity = made.resolve("cluster.id");
    List<Integer> ports = Ports.free(size * KafkaBroker.PORTS);
    List<KafkaBroker> brokers = new ArrayList<>();
    List<String> voters = new ArrayList<>();
    for (int id = 1; id <= size; id++) {
      KafkaBroker broker =
          new KafkaBroker(
              "the Kafka broker " + id,
              Files.createDirectories(made.resolve("broker-" + id)),
              identity,
              ports.subList((id - 1) * KafkaBroker.PORTS, id * KafkaBroker.PORTS));
      brokers.add(broker.with("node.id", String.valueOf(id)));
      voters.add(id + "@" + Ports.text(broker.controller()));
    }
    String replicas = String.valueOf(Math.min(size, REPLICAS));
    String needed = String.valueOf(size < REPLICAS ? 1 : REPLICAS - 1);
    return new KafkaCluster(identity, brokers)
        .with("controller.quorum.voters", String.join(",", voters))
        .with("default.replication.factor", replicas)
        .with("min.insync.replicas", needed)
        .with("offsets.topic.replication.factor", replicas)
        .with("transaction.state.log.replication.factor", replicas)
        .with("transaction.state.log.min.isr", needed)
        .with("share.coordinator.state.topic.replication.factor", replicas)
        .with("share.coordinator.state.topic.min.isr", needed);
  }

  /**
   * Sets what {@code server.properties} of all brokers would have, from the next start on; see
   * {@link KafkaBroker#with}.
   *
   * @param setting its name
   * @param value its value
   * @return this
   */
  public KafkaCluster with(String setting, String value) {
    brokers.forEach(broker -> broker.with(setting, value));
    return this;
  }

  /**
   * Starts all its brokers at once and waits until they are up.
   *
   * @return this
   * @throws IOException if one does not come up: the message has the last lines of its log. The
   *     others are killed then
   * @throws InterruptedException if interrupted
   */
  public KafkaCluster start() throws IOException, InterruptedException {
    KafkaBroker.clusterId(identity);
    ExecutorService threads = Executors.newFixedThreadPool(brokers.size());
    boolean up = false;
    try {
      CompletionService<KafkaBroker> starting = new ExecutorCompletionService<>(threads);
      brokers.forEach(broker -> starting.submit(broker::start));
      for (int i = 0; i < brokers.size(); i++) {
        starting.take().get();
      }
      up = true;
      return this;
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof IOException) {
        throw new IOException(cause.getMessage(), cause);
      }
      throw new IllegalStateException("the brokers cannot be started: " + cause, cause);
    } finally {
      // Those that wait for the others need not any more.
      threads.shutdownNow();
      if (!up) {
        close();
      }
    }
  }

  /**
   * Where clients connect: the same over all starts.
   *
   * @return the value of {@code bootstrap.servers}, with all brokers
   */
  public String bootstrap() {
    return brokers.stream().map(KafkaBroker::bootstrap).collect(Collectors.joining(","));
  }

  /**
   * Its brokers.
   *
   * @return all of them, by their ids
   */
  public List<KafkaBroker> brokers() {
    return brokers;
  }

  /**
   * One of its brokers.
   *
   * @param id the number by which Kafka knows it
   * @return the broker
   */
  public KafkaBroker broker(int id) {
    return brokers.get(id - 1);
  }

  /**
   * Waits until all replicas of all topics are in sync, and all controllers have what was written
   * when this was called: whichever broker dies next, nothing is lost that was acknowledged.
   *
   * @throws IOException if that is not so after two minutes: the message says what is missing
   * @throws IllegalStateException if a broker is down
   * @throws InterruptedException if interrupted
   */
  public void awaitInSync() throws IOException, InterruptedException {
    for (KafkaBroker broker : brokers) {
      if (!broker.isAlive()) {
        throw new IllegalStateException(broker.name() + " is down, and must be started first");
      }
    }
    long begin = System.nanoTime();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
      long written = -1;
      while (true) {
        String missing;
        try {
          QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
          if (written < 0) {
            written = end(quorum, quorum.leaderId());
          }
          missing = missing(quorum, written);
          if (missing.isEmpty()) {
            missing = missing(admin);
          }
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof RetriableException)) {
            throw new IOException("the cluster does not tell what is in sync", e.getCause());
          }
          missing = String.valueOf(e.getCause());
        }
        if (missing.isEmpty()) {
          return;
        }
        if (System.nanoTime() - begin > PATIENCE.toNanos()) {
          throw new IOException("not in sync after " + PATIENCE.toSeconds() + " s: " + missing);
        }
        TimeUnit.MILLISECONDS.sleep(20);
      }
    }
  }

  private static long end(QuorumInfo quorum, int controller) {
    return quorum.voters().stream()
        .filter(each -> each.replicaId() == controller)
        .mapToLong(QuorumInfo.ReplicaState::logEndOffset)
        .max()
        .orElse(-1);
  }

  /**
   * What controllers have not got. Topics alone would not tell: a broker that was paused may answer
   * with what it knew before.
   */
  private static String missing(QuorumInfo quorum, long written) {
    return quorum.voters().stream()
        .filter(each -> each.logEndOffset() < written)
        .map(each -> "controller " + each.replicaId() + " is behind")
        .collect(Collectors.joining(", "));
  }

  private static String missing(Admin admin) throws ExecutionException, InterruptedException {
    List<String> missing = new ArrayList<>();
    for (TopicDescription topic :
        admin
            .describeTopics(
                admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get())
            .allTopicNames()
            .get()
            .values()) {
      for (TopicPartitionInfo partition : topic.partitions()) {
        if (partition.isr().size() < partition.replicas().size()) {
          missing.add(
              "%s-%d has replicas on %s, in sync on %s"
                  .formatted(
                      topic.name(),
                      partition.partition(),
                      ids(partition.replicas()),
                      ids(partition.isr())));
        }
      }
    }
    return String.join(", ", missing);
  }

  private static List<Integer> ids(List<Node> nodes) {
    return nodes.stream().map(Node::id).toList();
  }

  /** Kills all its brokers. What is in its directory stays. */
  @Override
  public void close() throws IOException {
    IOException failed = null;
    for (KafkaBroker broker : brokers) {
      try {
        broker.close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
