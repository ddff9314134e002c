package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.flink.FlinkFold;
import dev.oncefold.flink.FlinkJob;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Payments from a topic into accounts, one receipt each to another topic, by a job of Flink: this
 * project's way, and as one writes it by hand. All decode and write the same bytes.
 */
final class FlinkPeer implements AutoCloseable {
  /** The ways to do it. */
  enum Kind {
    IDS("oncefold"),
    NO_IDS("oncefold without ids"),
    BY_HAND("by hand");

    final String name;

    Kind(String name) {
      this.name = name;
    }
  }

  private final Kind kind;
  private final String application;
  private final MiniCluster cluster;
  private final JobID job;

  private FlinkPeer(Kind kind, String application, MiniCluster cluster, JobID job) {
    this.kind = kind;
    this.application = application;
    this.cluster = cluster;
    this.job = job;
  }

  /**
   * Starts a job.
   *
   * @param settings {@code parallelism}, {@code backend} and {@code interval}, the milliseconds
   *     from checkpoint to checkpoint
   */
  static FlinkPeer start(Kind kind, StreamsRig rig, String outputs, Settings settings)
      throws Exception {
    String application = "bench-" + kind.name.replace(' ', '-') + "-" + System.nanoTime();
    Path checkpoints = rig.directory().resolve(application);
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(
            settings.number("parallelism", 1),
            Configuration.fromMap(
                Map.of(
                    "execution.checkpointing.interval",
                    settings.number("interval", 1000) + " ms",
                    "execution.checkpointing.dir",
                    checkpoints.toUri().toString(),
                    "execution.checkpointing.externalized-checkpoint-retention",
                    "RETAIN_ON_CANCELLATION",
                    "state.backend.type",
                    settings.text("backend", "hashmap"),
                    "restart-strategy.type",
                    "none")));
    if (kind == Kind.BY_HAND) {
      FlinkByHand.in(environment, rig.bootstrap(), application, outputs);
    } else {
      boolean ids = kind == Kind.IDS;
      FlinkJob.of(rig.bootstrap(), application, FlinkFold.of(() -> fold(ids)))
          .from(record -> event(record, ids), StreamsRig.TOPIC)
          .output(Output.DEFAULT, outputs, emitted -> receipt(emitted.value().cents()))
          .in(environment);
    }
    Configuration configuration = new Configuration();
    configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(512));
    configuration.set(RestOptions.BIND_PORT, "0");
    MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(4)
                .build());
    cluster.start();
    JobID job = JobID.generate();
    cluster
        .submitJob(environment.getStreamGraph().getJobGraph(FlinkPeer.class.getClassLoader(), job))
        .get();
    return new FlinkPeer(kind, application, cluster, job);
  }

  private static Event<Workload.Payment> event(ConsumerRecord<byte[], byte[]> record, boolean ids) {
    Event<Workload.Payment> event = Payments.decode(record.value());
    return ids ? event : new Event<>(null, event.key(), null, event.value());
  }

  private static Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold(boolean ids) {
    var fold =
        Fold.of("accounts", Workload.Account.class, Workload.Payment.class, Workload.Receipt.class)
            .initially(new Workload.Account(Rig.BALANCE, 0));
    return (ids ? fold.remembering(Duration.ofDays(7)) : fold.rememberingNoIds())
        .update(
            (account, event) -> {
              Workload.Payment p = event.value();
              long cents = account.cents() + (p.kind().equals("withdraw") ? -p.cents() : p.cents());
              return Outcome.accept(
                  new Workload.Account(cents, account.payments() + 1),
                  new Workload.Receipt(p.account(), cents));
            });
  }

  static byte[] receipt(long cents) {
    return ("{\"cents\":" + cents + "}").getBytes(StandardCharsets.UTF_8);
  }

  String application() {
    return application;
  }

  /** Throws if it has stopped. */
  void check() {
    try {
      if (cluster.getJobStatus(job).get().isGloballyTerminalState()) {
        throw new IllegalStateException(
            kind.name + " has stopped",
            cluster
                .requestJobResult(job)
                .get()
                .getSerializedThrowable()
                .map(thrown -> thrown.deserializeError(FlinkPeer.class.getClassLoader()))
                .orElse(null));
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(kind.name + " cannot be asked", e);
    }
  }

  @Override
  public void close() {
    try {
      cluster.cancelJob(job).get();
      cluster.requestJobResult(job).get(60, TimeUnit.SECONDS);
      cluster.close();
    } catch (Exception e) {
      throw new IllegalStateException(kind.name + " cannot be ended", e);
    }
  }
}
