package dev.oncefold.flinkjob;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.apache.flink.client.cli.CliFrontend;
import org.apache.flink.client.cli.DefaultCLI;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.client.JobStatusMessage;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;

/**
 * A cluster of Flink and the command {@code flink}. The test loads it beside Flink alone, so it
 * uses nothing else.
 */
public final class Session {
  private final MiniCluster cluster;

  /** Starts the cluster. */
  public Session() throws Exception {
    Configuration configuration = new Configuration();
    configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(64));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(64));
    configuration.set(RestOptions.BIND_PORT, "0");
    cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(2)
                .build());
    cluster.start();
  }

  /** Runs the command on this cluster; answers its exit code. */
  public int flink(Collection<String> args) throws Exception {
    List<String> all = new ArrayList<>(args);
    all.add(
        1,
        "--jobmanager="
            + cluster.getRestAddress().get().getHost()
            + ":"
            + cluster.getRestAddress().get().getPort());
    return new CliFrontend(new Configuration(), List.of(new DefaultCLI()))
        .parseAndRun(all.toArray(String[]::new));
  }

  /** The jobs, and how each of them is. */
  public List<String> jobs() throws Exception {
    List<String> jobs = new ArrayList<>();
    for (JobStatusMessage each : cluster.listJobs().get()) {
      jobs.add(each.getJobName() + " " + each.getJobId() + " " + each.getJobState());
    }
    return jobs;
  }

  /** Why a job has ended; waits for that. */
  public String failure(String job) throws Exception {
    StringBuilder told = new StringBuilder();
    Throwable failure =
        cluster
            .requestJobResult(JobID.fromHexString(job))
            .get()
            .getSerializedThrowable()
            .orElse(null);
    for (Throwable each = failure; each != null; each = each.getCause()) {
      told.append(each.getMessage()).append('\n');
    }
    return told.toString();
  }

  /** Ends the cluster. */
  public void close() throws Exception {
    cluster.close();
  }
}
