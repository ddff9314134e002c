package dev.oncefold.bench;

import dev.oncefold.Output;
import dev.oncefold.flink.FlinkFold;
import dev.oncefold.flink.FlinkJob;
import java.nio.file.Path;
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

/**
 * Payments from a topic into accounts, one receipt each to another topic, by a job of Flink: this
 * project's way, and as one writes it by hand. All decode and write the same bytes.
 */
final class FlinkPeer implements AutoCloseable {
  private final Way way;
  private final String application;
  private final MiniCluster cluster;
  private final JobID job;

  private FlinkPeer(Way way, String application, MiniCluster cluster, JobID job) {
    this.way = way;
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
  static FlinkPeer start(Way way, StreamsRig rig, String outputs, Settings settings)
      throws Exception {
    String application = "bench-" + way.name.replace(' ', '-') + "-" + System.nanoTime();
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
    if (way == Way.BY_HAND) {
      FlinkByHand.in(environment, rig.bootstrap(), application, outputs);
    } else if (way == Way.BY_HAND_IDS) {
      FlinkByHand.withIds(environment, rig.bootstrap(), application, outputs);
    } else {
      FlinkJob.of(rig.bootstrap(), application, FlinkFold.of(way::fold))
          .from(record -> way.event(record.value()), StreamsRig.TOPIC)
          .output(Output.DEFAULT, outputs, emitted -> Way.receipt(emitted.value().cents()))
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
    return new FlinkPeer(way, application, cluster, job);
  }

  String application() {
    return application;
  }

  /** Throws if it has stopped. */
  void check() {
    try {
      if (cluster.getJobStatus(job).get().isGloballyTerminalState()) {
        throw new IllegalStateException(
            way.name + " has stopped",
            cluster
                .requestJobResult(job)
                .get()
                .getSerializedThrowable()
                .map(thrown -> thrown.deserializeError(FlinkPeer.class.getClassLoader()))
                .orElse(null));
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(way.name + " cannot be asked", e);
    }
  }

  @Override
  public void close() {
    try {
      cluster.cancelJob(job).get();
      cluster.requestJobResult(job).get(60, TimeUnit.SECONDS);
      cluster.close();
    } catch (Exception e) {
      throw new IllegalStateException(way.name + " cannot be ended", e);
    }
  }
}
