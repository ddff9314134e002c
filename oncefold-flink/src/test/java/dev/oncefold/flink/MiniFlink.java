package dev.oncefold.flink;

import dev.oncefold.testkit.Patience;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.jspecify.annotations.Nullable;

/** Flink in this process: one for all tests, started with the first. */
final class MiniFlink {
  private static @Nullable MiniCluster cluster;

  private MiniFlink() {}

  static synchronized MiniCluster cluster() throws Exception {
    if (cluster == null) {
      Configuration configuration = new Configuration();
      configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(256));
      configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
      // Other processes of a test run Flink, too.
      configuration.set(RestOptions.BIND_PORT, "0");
      // So that what was the last one is not removed while a test reads it.
      configuration.set(CheckpointingOptions.MAX_RETAINED_CHECKPOINTS, 20);
      MiniCluster started =
          new MiniCluster(
              new MiniClusterConfiguration.Builder()
                  .setConfiguration(configuration)
                  .setNumTaskManagers(1)
                  .setNumSlotsPerTaskManager(16)
                  .build());
      started.start();
      cluster = started;
    }
    return cluster;
  }

  /** Settings without a restart of their own, and without periodic checkpoints if 0. */
  static StreamExecutionEnvironment environment(int parallelism, long interval) {
    Configuration settings = new Configuration();
    settings.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(parallelism, settings);
    if (interval > 0) {
      environment.enableCheckpointing(interval);
    }
    return environment;
  }

  static JobID submit(StreamExecutionEnvironment environment, @Nullable String from)
      throws Exception {
    StreamGraph graph = environment.getStreamGraph();
    if (from != null) {
      graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(from));
    }
    JobID job = JobID.generate();
    cluster().submitJob(graph.getJobGraph(MiniFlink.class.getClassLoader(), job)).get();
    return job;
  }

  static JobStatus status(JobID job) throws Exception {
    return cluster().getJobStatus(job).get();
  }

  static void awaitStatus(JobID job, JobStatus wanted) throws Exception {
    Patience.await(
        Patience.USUAL,
        () -> {
          JobStatus status = status(job);
          if (status != wanted && status.isGloballyTerminalState()) {
            throw new IllegalStateException(
                "the job is " + status, wanted == JobStatus.FAILED ? null : failure(job));
          }
          return status == wanted ? null : wanted + " instead of " + status;
        });
  }

  /** Why a job has ended: it waits for the end. */
  static @Nullable Throwable failure(JobID job) throws Exception {
    return cluster()
        .requestJobResult(job)
        .get(60, TimeUnit.SECONDS)
        .getSerializedThrowable()
        .map(thrown -> thrown.deserializeError(MiniFlink.class.getClassLoader()))
        .orElse(null);
  }

  /** All messages of a failure. */
  static String told(@Nullable Throwable failure) {
    StringBuilder told = new StringBuilder();
    for (Throwable each = failure; each != null; each = each.getCause()) {
      told.append(each.getMessage()).append('\n');
    }
    return told.toString();
  }

  /** Waits until all tasks of a job work. */
  static void awaitRunning(JobID job) throws Exception {
    awaitStatus(job, JobStatus.RUNNING);
    Patience.await(
        Patience.USUAL,
        () -> {
          JobStatus status = status(job);
          if (status.isGloballyTerminalState()) {
            throw new IllegalStateException("the job is " + status, failure(job));
          }
          for (AccessExecutionVertex each :
              cluster().getExecutionGraph(job).get().getAllExecutionVertices()) {
            if (each.getExecutionState() != ExecutionState.RUNNING) {
              return each.getTaskNameWithSubtaskIndex() + " is " + each.getExecutionState();
            }
          }
          return null;
        });
  }

  /** Takes a checkpoint, and answers where it is. */
  static String checkpoint(JobID job) throws Exception {
    return cluster().triggerCheckpoint(job).get(60, TimeUnit.SECONDS);
  }

  /** Takes a savepoint of a job that goes on. */
  static String savepoint(JobID job, String directory) throws Exception {
    return cluster()
        .triggerSavepoint(job, directory, false, SavepointFormatType.CANONICAL)
        .get(60, TimeUnit.SECONDS);
  }

  /** Ends a job, and answers its savepoint. */
  static String stop(JobID job, String directory, SavepointFormatType format) throws Exception {
    awaitRunning(job);
    String path =
        cluster().stopWithSavepoint(job, directory, false, format).get(60, TimeUnit.SECONDS);
    awaitStatus(job, JobStatus.FINISHED);
    return path;
  }

  static void cancel(JobID job) throws Exception {
    if (!status(job).isGloballyTerminalState()) {
      cluster().cancelJob(job).get();
    }
    cluster().requestJobResult(job).get(Duration.ofSeconds(60).toSeconds(), TimeUnit.SECONDS);
  }
}
