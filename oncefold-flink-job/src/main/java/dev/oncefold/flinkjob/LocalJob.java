package dev.oncefold.flinkjob;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.flink.FlinkFoldException;
import dev.oncefold.flink.FlinkView;
import dev.oncefold.flink.LostCommitException;
import dev.oncefold.pipeline.Storage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.RecoveryClaimMode;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.executiongraph.ErrorInfo;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline's job in a Flink of this process. It goes on from its last checkpoint, and is stopped
 * with a savepoint, so that nothing is done again.
 *
 * <p>Whoever calls this may have loaded it by another class loader: all methods take and answer
 * types of the JDK alone.
 */
public final class LocalJob {
  /** In {@link #check} and {@link #run}: why the job is refused, or has failed. */
  public static final String PROBLEM = "problem";

  /** In {@link #check}: why it is not known whether the job is refused. */
  public static final String UNKNOWN = "unknown";

  /** In {@link #check} and {@link #run}: that other rules have judged what is stored. */
  public static final String OTHER_RULES = "otherRules";

  /** In {@link #run}: the position of the event that the job stops before. */
  public static final String POSITION = "position";

  /** In {@link #run}: why that event failed. */
  public static final String REASON = "reason";

  private static final long LOOK_SECONDS = 1;
  private static final int LOOKS = 5;
  private static final long STOP_SECONDS = 30;
  private static final Map<String, String> IMPATIENT =
      Map.of("default.api.timeout.ms", "5000", "request.timeout.ms", "5000");

  private final PipelineJob job;
  private final Storage.Flink engine;
  private Counts counts = Counts.NONE;
  private @Nullable MiniCluster cluster;
  private @Nullable JobID running;
  private boolean stopped;

  /**
   * A job that does not run yet.
   *
   * @param file the pipeline file
   * @param acceptChange whether to go on where the stored rules are others
   * @param refusing positions of events that may fail
   */
  public LocalJob(Path file, boolean acceptChange, Collection<String> refusing) {
    this.job = PipelineJob.of(PipelineText.read(file), acceptChange, refusing);
    this.engine = job.engine();
  }

  // ---------------------------------------------------------------- what is known before

  /**
   * What a run would refuse. The cluster of the topics is asked, for some seconds where it is away.
   *
   * @return sentences under {@link #PROBLEM}, {@link #OTHER_RULES} and {@link #UNKNOWN}; nothing
   *     where it can run
   */
  public Map<String, String> check() {
    Map<String, String> found = new HashMap<>();
    try {
      job.in(environment(), IMPATIENT);
    } catch (FlinkFoldException e) {
      // A setting is refused without a cause; what has one is that the cluster is away.
      found.put(e.getCause() == null ? PROBLEM : UNKNOWN, String.valueOf(e.getMessage()));
    }
    try {
      admitted();
    } catch (FlinkFoldException e) {
      found.put(kind(e), String.valueOf(e.getMessage()));
    } catch (IOException e) {
      found.put(PROBLEM, unreadable(e));
    }
    return found;
  }

  private static String kind(FlinkFoldException e) {
    return e instanceof FlinkFoldException.OtherRules ? OTHER_RULES : PROBLEM;
  }

  private String unreadable(IOException e) {
    return "the checkpoints in " + engine.checkpoints().directory() + " cannot be read: " + e;
  }

  private @Nullable FlinkView last() throws IOException {
    return FlinkView.last(engine.checkpoints().directory(), engine.job());
  }

  /** The checkpoint to go on from, which the rules are admitted on; null where there is none. */
  private @Nullable FlinkView admitted() throws IOException {
    FlinkView last = last();
    if (last != null) {
      last.admit(job.fold());
    }
    return last;
  }

  /**
   * What the job has counted up to its last checkpoint, since it first ran.
   *
   * @return how many events were applied, rejected, duplicates, conflicts, expired, failed; and how
   *     many outputs there were
   */
  public synchronized long[] counts() {
    try {
      FlinkView last = last();
      counts = last == null ? Counts.NONE : last.counts(engine.job());
    } catch (IOException e) {
      // Gone while it was read, for a newer one: these are told a moment longer.
    }
    return new long[] {
      counts.applied(),
      counts.rejected(),
      counts.duplicates(),
      counts.conflicts(),
      counts.expired(),
      counts.failed(),
      counts.outputs()
    };
  }

  /**
   * The states of the last checkpoint. They are read by a job that ends.
   *
   * @return by key its version, an unsigned number, and its state behind that, as the fold's codec
   *     writes it
   * @throws IOException if they cannot be read
   * @throws InterruptedException if this thread is interrupted
   */
  public Map<String, byte[]> states() throws IOException, InterruptedException {
    IOException failed = null;
    for (int look = 0; look < LOOKS; look++) {
      FlinkView last = last();
      if (last == null) {
        return Map.of();
      }
      StreamExecutionEnvironment environment = environment();
      environment.configure(job.backend(), LocalJob.class.getClassLoader());
      try (Collected states = new Collected()) {
        last.slots(environment, job.fold()).sinkTo(states.sink());
        Map<String, String> came = run(environment.getStreamGraph(), null, told -> {});
        if (came.isEmpty()) {
          return states.all();
        }
        // A job that goes on meanwhile removes what is not the last any more.
        failed = new IOException(came.get(PROBLEM));
      }
    }
    throw failed == null ? new IOException() : failed;
  }

  // ---------------------------------------------------------------- the run

  /**
   * Runs the job until it is stopped or cannot go on.
   *
   * @param notice told each failure that Flink answers with a restart
   * @return nothing where it was stopped; else sentences under {@link #PROBLEM}, or {@link
   *     #OTHER_RULES}, or {@link #POSITION} and {@link #REASON}
   * @throws InterruptedException if this thread is interrupted
   */
  public Map<String, String> run(Consumer<String> notice) throws InterruptedException {
    try (DirectoryLock lock = DirectoryLock.take(engine.checkpoints().directory(), engine.job())) {
      if (lock == null) {
        return Map.of(
            PROBLEM,
            "another process runs the job \""
                + engine.job()
                + "\" with its checkpoints in "
                + engine.checkpoints().directory()
                + ". Stop that process, or give this job another name and directory");
      }
      StreamExecutionEnvironment environment = environment();
      job.in(environment, Map.of());
      FlinkView last = admitted();
      StreamGraph graph = environment.getStreamGraph();
      if (last != null) {
        // Claimed: it is removed once there is a newer one.
        graph.setSavepointRestoreSettings(
            SavepointRestoreSettings.forPath(last.path(), false, RecoveryClaimMode.CLAIM));
      }
      return run(graph, lock.work(), notice);
    } catch (FlinkFoldException e) {
      return Map.of(kind(e), String.valueOf(e.getMessage()));
    } catch (UncheckedIOException e) {
      return Map.of(PROBLEM, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return Map.of(PROBLEM, unreadable(e));
    }
  }

  @SuppressWarnings("try") // that closing may be interrupted is as it should be
  private Map<String, String> run(StreamGraph graph, @Nullable Path work, Consumer<String> notice)
      throws InterruptedException {
    try (MiniCluster here = new MiniCluster(configuration(work))) {
      here.start();
      JobID id = JobID.generate();
      synchronized (this) {
        if (stopped) {
          return Map.of();
        }
        JobGraph plan = graph.getJobGraph(LocalJob.class.getClassLoader(), id);
        // Without any, Flink would look for the job's classes on the class path of this process,
        // and not where its own come from.
        plan.setClasspaths(
            List.of(LocalJob.class.getProtectionDomain().getCodeSource().getLocation()));
        here.submitJob(plan).get();
        cluster = here;
        running = id;
      }
      return came(await(here, id, notice));
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      return Map.of(PROBLEM, told(e));
    }
  }

  private static JobResult await(MiniCluster here, JobID id, Consumer<String> notice)
      throws InterruptedException, ExecutionException {
    CompletableFuture<JobResult> result = here.requestJobResult(id);
    long told = 0;
    while (true) {
      try {
        return result.get(LOOK_SECONDS, TimeUnit.SECONDS);
      } catch (TimeoutException e) {
        ErrorInfo failure = here.getExecutionGraph(id).get().getFailureInfo();
        if (failure != null && failure.getTimestamp() > told) {
          told = failure.getTimestamp();
          notice.accept(
              told(failure.getException().deserializeError(LocalJob.class.getClassLoader())));
        }
      }
    }
  }

  private static Map<String, String> came(JobResult result) {
    Throwable failure =
        result
            .getSerializedThrowable()
            .map(thrown -> thrown.deserializeError(LocalJob.class.getClassLoader()))
            .orElse(null);
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof FailedEventException event) {
        return Map.of(POSITION, event.position(), REASON, event.reason());
      }
      if (each instanceof FlinkFoldException fold) {
        return Map.of(kind(fold), String.valueOf(fold.getMessage()));
      }
    }
    return result.isSuccess() || failure == null ? Map.of() : Map.of(PROBLEM, told(failure));
  }

  /** The sentence that is nearest to what has happened. */
  private static String told(Throwable failure) {
    String told = failure.toString();
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof LostCommitException) {
        return String.valueOf(each.getMessage());
      }
      if (each.getMessage() != null) {
        told = each.getClass().getSimpleName() + ": " + each.getMessage();
      }
    }
    return told;
  }

  /**
   * Lets the job end with a savepoint, so that all it has applied and sent is committed; where that
   * cannot be, it ends at once, and goes on from its last checkpoint when it is started again. From
   * any thread, and at any time.
   */
  public void stop() {
    MiniCluster here;
    JobID id;
    synchronized (this) {
      stopped = true;
      here = cluster;
      id = running;
    }
    if (here == null || id == null) {
      return;
    }
    try {
      // ForSt knows its own format alone; one that all know is also read by another backend.
      here.stopWithSavepoint(
              id,
              engine.checkpoints().directory(),
              false,
              engine.backend() == Storage.Backend.FORST
                  ? SavepointFormatType.NATIVE
                  : SavepointFormatType.CANONICAL)
          .get(STOP_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      var unused = here.cancelJob(id); // its end is told by the run
    }
  }

  // ---------------------------------------------------------------- Flink

  private int parallelism() {
    return Math.max(1, engine.parallelism());
  }

  private StreamExecutionEnvironment environment() {
    return StreamExecutionEnvironment.createLocalEnvironment(parallelism(), new Configuration());
  }

  /**
   * A Flink of this process.
   *
   * @param work where it keeps files while it runs; the system's temporary directory where null
   */
  private MiniClusterConfiguration configuration(@Nullable Path work) {
    Configuration configuration = new Configuration();
    if (work != null) {
      configuration.set(CoreOptions.TMP_DIRS, work.toString());
      configuration.set(WebOptions.TMP_DIR, work.toString());
    }
    // What RocksDB and ForSt may take; a heap backend takes none of it.
    configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(256));
    configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(128));
    configuration.set(CoreOptions.CLASSLOADER_RESOLVE_ORDER, "parent-first");
    configuration.set(RestOptions.BIND_ADDRESS, "localhost");
    configuration.set(RestOptions.ADDRESS, "localhost");
    configuration.set(RestOptions.BIND_PORT, "0");
    return new MiniClusterConfiguration.Builder()
        .setConfiguration(configuration)
        .setNumTaskManagers(1)
        .setNumSlotsPerTaskManager(parallelism())
        .build();
  }
}
