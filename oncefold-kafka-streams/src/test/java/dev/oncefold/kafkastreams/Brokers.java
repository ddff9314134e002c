package dev.oncefold.kafkastreams;

import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.sandbox.KafkaCluster;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The cluster of a crash run, and where in it those brokers are at which faults are aimed. */
final class Brokers implements AutoCloseable {
  static final String CHANGELOG = CrashWorker.APPLICATION + "-" + Moves.NAME + "-changelog";

  private final KafkaCluster cluster;
  private final Admin admin;

  Brokers(Path directory, int size) throws IOException, InterruptedException {
    this.cluster =
        KafkaCluster.in(directory, size)
            .with("group.min.session.timeout.ms", "500")
            .with("group.streams.min.session.timeout.ms", "500")
            .with("group.streams.session.timeout.ms", String.valueOf(CrashRig.SESSION_MILLIS))
            .with("group.streams.min.heartbeat.interval.ms", "100")
            .with("group.streams.heartbeat.interval.ms", "300")
            .with("group.streams.num.standby.replicas", "1")
            .with("group.streams.initial.rebalance.delay.ms", "0")
            .with("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500")
            // What is asked of a broker that is paused is asked of the next one after this time.
            .with("request.timeout.ms", String.valueOf(CrashRig.REQUEST_MILLIS))
            .start();
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap()));
    topics();
  }

  /** With as many replicas as the cluster gives by itself. */
  private void topics() throws InterruptedException {
    get(
        admin
            .createTopics(
                List.of(
                    topic(CrashWorker.INPUT, CrashRig.PARTITIONS),
                    topic(CrashWorker.OUTPUTS, 2),
                    topic(CrashWorker.REFUSALS, 1),
                    // Made before the application does, so that it can be read from the start.
                    topic(CHANGELOG, CrashRig.PARTITIONS)
                        .configs(Map.of("cleanup.policy", "compact"))))
            .all());
  }

  private static NewTopic topic(String name, int partitions) {
    return new NewTopic(name, Optional.of(partitions), Optional.empty());
  }

  private static <T> T get(@Nullable KafkaFuture<T> answer) throws InterruptedException {
    try {
      return Objects.requireNonNull(answer).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the cluster does not answer", e.getCause());
    }
  }

  String bootstrap() {
    return cluster.bootstrap();
  }

  KafkaBroker any(Random random) {
    return cluster.brokers().get(random.nextInt(cluster.brokers().size()));
  }

  /** The one that decides who leads. */
  KafkaBroker controller() throws InterruptedException {
    return cluster.broker(get(admin.describeMetadataQuorum().quorumInfo()).leaderId());
  }

  /** The one that decides the end of an open transaction. */
  KafkaBroker coordinator(String transaction) throws InterruptedException {
    return cluster.broker(open(transaction).coordinatorId());
  }

  /** One that leads a partition of a changelog to which an open transaction has written. */
  KafkaBroker leader(String transaction) throws InterruptedException {
    TopicPartition written =
        open(transaction).topicPartitions().stream()
            .filter(each -> each.topic().equals(CHANGELOG))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException(transaction + " wrote no changelog"));
    return cluster.broker(
        get(admin.describeTopics(List.of(CHANGELOG)).topicNameValues().get(CHANGELOG))
            .partitions()
            .get(written.partition())
            .leader()
            .id());
  }

  private TransactionDescription open(String transaction) throws InterruptedException {
    return get(admin.describeTransactions(List.of(transaction)).description(transaction));
  }

  void awaitInSync() throws IOException, InterruptedException {
    cluster.awaitInSync();
  }

  @Override
  public void close() throws IOException {
    admin.close();
    cluster.close();
  }
}
