package dev.oncefold.testkit;

import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Runs a fold under crashes and says whether everything was applied exactly once: state, outputs,
 * refusals and counts, after each crash.
 *
 * <pre>{@code
 * @Test
 * void everyPaymentIsAppliedOnce() throws Exception {
 *   Verification.of(Payments.class).seed(1).kills(20).run().orFail();
 * }
 * }</pre>
 *
 * <p>The embedded engine runs in a process of its own, which is killed by SIGKILL, most times
 * inside an open commit, and paused; the checker of {@code oncefold-verify} judges what is seen.
 * Everything is kept in a directory of the run's own.
 */
public final class Verification {
  private static final int KILLS = 20;
  private static final int PAUSES = 2;

  private final Class<?> subject;
  private final String[] arguments;
  private long seed = 1;
  private int kills = KILLS;
  private int pauses = PAUSES;
  private Runnable waiting = () -> {};

  private Verification(Class<?> subject, String... arguments) {
    this.subject = subject;
    this.arguments = arguments;
  }

  /**
   * A verification of a subject.
   *
   * @param subject a class as {@link Subject} describes it, on the class path
   * @param arguments what its constructor is given; one that takes nothing is called without any
   * @return a verification of 20 kills and 2 pauses
   */
  public static Verification of(Class<?> subject, String... arguments) {
    return new Verification(subject, arguments.clone());
  }

  /**
   * Makes another run.
   *
   * @param number of which the schedule is made
   * @return this
   */
  public Verification seed(long number) {
    seed = number;
    return this;
  }

  /**
   * Kills so often.
   *
   * @param number how many processes die; at least 1
   * @return this
   */
  public Verification kills(int number) {
    if (number < 1) {
      throw new IllegalArgumentException("without a kill nothing is verified");
    }
    kills = number;
    return this;
  }

  /**
   * Pauses so often, and tries to take over meanwhile.
   *
   * @param number how many times
   * @return this
   */
  public Verification pauses(int number) {
    pauses = number;
    return this;
  }

  /**
   * Calls something now and then while it waits.
   *
   * @param call for progress on a terminal, say
   * @return this
   */
  public Verification waiting(Runnable call) {
    waiting = call;
    return this;
  }

  /**
   * What will be done.
   *
   * @return the schedule
   */
  public Schedule schedule() {
    return Schedule.of(seed, kills, pauses);
  }

  /**
   * What came of a run.
   *
   * @param result what the checker says
   * @param schedule what was planned
   * @param faults what came of the faults, in their order
   * @param history the file of the history, for {@code oncefold verify --history}; gone with the
   *     directory of the run
   */
  public record Report(
      Result result, Schedule schedule, List<Observation.Fault> faults, Path history) {
    /**
     * Fails a test unless everything was applied exactly once.
     *
     * @return this
     * @throws AssertionError with all that is known
     */
    public Report orFail() {
      if (!(result instanceof Result.Pass)) {
        throw new AssertionError(String.join("\n", lines()));
      }
      return this;
    }

    /**
     * The report for a person.
     *
     * @return lines
     */
    public List<String> lines() {
      return Told.lines(this);
    }
  }

  /**
   * Runs it in a temporary directory, which is deleted unless something was found.
   *
   * @return the report
   * @throws IOException if the directory cannot be used
   * @throws InterruptedException if the thread was interrupted; then no process is left behind
   */
  public Report run() throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("oncefold-verify");
    Report report = run(directory);
    if (report.result() instanceof Result.Pass) {
      Scratch.delete(directory);
    }
    return report;
  }

  /**
   * Runs it in a directory.
   *
   * @param directory an empty directory, or one that can be made
   * @return the report
   * @throws IOException if the directory cannot be used
   * @throws InterruptedException if the thread was interrupted; then no process is left behind
   */
  public Report run(Path directory) throws IOException, InterruptedException {
    Files.createDirectories(directory);
    return run(Subject.of(subject, arguments), new Scratch(directory));
  }

  private <S, E, O> Report run(Subject<S, E, O> made, Scratch scratch)
      throws IOException, InterruptedException {
    Schedule schedule = schedule();
    try (CrashRun<S, E, O> run =
        new CrashRun<>(subject, arguments, made, scratch, schedule, waiting)) {
      Result result = run.run(about());
      return new Report(result, schedule, List.copyOf(run.faults()), scratch.history());
    }
  }

  private static Map<String, String> about() {
    Map<String, String> about = new TreeMap<>();
    about.put("java", Runtime.version().toString());
    about.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    about.put("processors", String.valueOf(Runtime.getRuntime().availableProcessors()));
    String version = Verification.class.getPackage().getImplementationVersion();
    about.put("oncefold", version == null ? "not packaged" : version);
    return about;
  }
}
