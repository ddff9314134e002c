package dev.oncefold.testkit;

import dev.oncefold.verify.Figures;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

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
  private Duration least = Duration.ZERO;
  private Consumer<Supplier<String>> watch = how -> {};

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
   * Runs it again, each time with the next seed, until it took so long.
   *
   * @param time for how long
   * @return this
   */
  public Verification atLeast(Duration time) {
    least = time;
    return this;
  }

  /**
   * Tells now and then how far it is.
   *
   * @param watcher given a sentence, which is made only if it is asked for
   * @return this
   */
  public Verification watched(Consumer<Supplier<String>> watcher) {
    watch = watcher;
    return this;
  }

  /**
   * What will be done first.
   *
   * @return the schedule of the first round
   */
  public Schedule schedule() {
    return Schedule.of(seed, kills, pauses);
  }

  /**
   * What came of a verification.
   *
   * @param seed of the first round; each later one has the next
   * @param rounds how often the input was applied from its beginning
   * @param difference what the determinism check found, or null; then there were no rounds
   * @param result what the checker says: of the last round, with the figures of all
   * @param faults what came of the faults of the last round, in their order
   * @param history the file of the last round's history, for {@code oncefold verify --history}
   */
  public record Report(
      long seed,
      int rounds,
      Determinism.@Nullable Difference difference,
      Result result,
      List<Observation.Fault> faults,
      Path history) {
    /** Copies the list. */
    public Report {
      faults = List.copyOf(faults);
    }

    /**
     * Whether everything was applied exactly once, and that was proved.
     *
     * @return true if it was
     */
    public boolean passed() {
      return difference == null && result instanceof Result.Pass;
    }

    /**
     * Fails a test unless it passed.
     *
     * @return this
     * @throws AssertionError with all that is known
     */
    public Report orFail() {
      if (!passed()) {
        throw new AssertionError(String.join("\n", lines()));
      }
      return this;
    }

    /**
     * The report for a person; its last part begins with PASS, FAIL or INVALID.
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
    if (report.passed()) {
      Scratch.delete(directory);
    }
    return report;
  }

  /**
   * Runs it in a directory. First it is seen whether the fold is deterministic: one that is not
   * cannot be applied exactly once by anybody.
   *
   * @param directory an empty directory, or one that can be made
   * @return the report
   * @throws IOException if the directory cannot be used
   * @throws InterruptedException if the thread was interrupted; then no process is left behind
   */
  public Report run(Path directory) throws IOException, InterruptedException {
    Path first = round(directory, 1).directory();
    Determinism.Difference difference = Determinism.check(subject, arguments).difference();
    if (difference != null) {
      Result none =
          new Result.Invalid(
              List.of("the fold is not deterministic, so it was not run"), Figures.NONE);
      return new Report(seed, 0, difference, none, List.of(), first);
    }
    long begin = System.nanoTime();
    Figures before = Figures.NONE;
    for (int number = 1; ; number++) {
      Scratch scratch = round(directory, number);
      Files.createDirectories(scratch.directory());
      Report report = round(Subject.of(subject, arguments), scratch, number, before);
      if (!report.passed() || System.nanoTime() - begin >= least.toNanos()) {
        return report;
      }
      before = report.result().figures();
      Scratch.delete(scratch.directory());
    }
  }

  /**
   * What the checker says of a history, for a person.
   *
   * @param result the result
   * @return lines, the last part of which begins with PASS, FAIL or INVALID
   */
  public static List<String> lines(Result result) {
    return Told.lines(result);
  }

  private static Scratch round(Path directory, int number) {
    return new Scratch(directory.resolve("round-" + number));
  }

  private <S, E, O> Report round(Subject<S, E, O> made, Scratch scratch, int number, Figures before)
      throws IOException, InterruptedException {
    Schedule schedule = Schedule.of(seed + number - 1, kills, pauses);
    try (CrashRun<S, E, O> run =
        new CrashRun<>(subject, arguments, made, scratch, schedule, watch)) {
      Result result = run.run(about()).after(before);
      return new Report(seed, number, null, result, run.faults(), scratch.history());
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
