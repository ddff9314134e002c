package dev.oncefold.cli;

import dev.oncefold.cli.Report.Plan;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Child;
import dev.oncefold.verify.Nemesis;
import dev.oncefold.verify.Nemesis.Life;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Has the worker started and killed by a schedule, and counts where it died. */
final class Kills implements Nemesis.Witness, AutoCloseable {
  private final Plan plan;
  private final long begin = System.nanoTime();
  private final Progress progress;
  private final Witness witness;
  private final Beacon beacon;
  private final Nemesis nemesis;
  private final Tally tally = new Tally();
  // How far the last life that came so far had handed out events, and answered them.
  private long handed;
  private long answered;

  /** What was done to the worker. */
  static final class Tally {
    int kills;
    int insideCommit;
    int halfWritten;
    int recovering;
    int restarts;
    final List<Long> recoveryNanos = new ArrayList<>();
    long lastRunEvents;
    long lastRunNanos;
  }

  /** Looks at what each kill left. */
  interface Witness {
    /** The worker is dead, and nobody has touched what it left. */
    void dead(int kill);

    /** What was answered before a kill has to be there after it, and nothing that was not read. */
    void resumed(int kill, long from, long answered, long handed);
  }

  /**
   * Prepares to kill.
   *
   * @param worker the main class of the process
   * @param at where it works
   * @param plan how often to kill it, and the seed of the moments
   * @param progress told how far it is
   * @param witness looks at what each kill left
   */
  Kills(Class<?> worker, Workplace at, Plan plan, Progress progress, Witness witness)
      throws IOException {
    this.plan = plan;
    this.progress = progress;
    this.witness = witness;
    this.beacon = Beacon.at(at.beacon());
    String directory = at.directory().toString();
    this.nemesis =
        new Nemesis(
            Schedule.of(plan.seed(), plan.kills(), 0),
            beacon,
            Files.size(at.payments()),
            () -> Child.start(worker, Child.shortLived(), at.log(), directory),
            this);
  }

  /** Kills so often, then lets the worker run to the end. */
  Tally run() throws IOException, InterruptedException {
    nemesis.run();
    return tally;
  }

  /** Ends the worker of the moment, if there is one; for when the demo is interrupted, too. */
  @Override
  public void close() {
    nemesis.close();
  }

  @Override
  public void fault(Observation.Fault fault) {
    // Where the kill landed stands in the life that it ended.
  }

  @Override
  public void ended(Life life) {
    tally.restarts = life.number() - 1;
    if (life.resumed() != Beacon.NOT_YET) {
      witness.resumed(tally.kills, life.resumed(), answered, handed);
      answered = life.committed();
      handed = life.handed();
    }
    if (life.number() > 1 && life.recoveryNanos() != 0) {
      tally.recoveryNanos.add(life.recoveryNanos());
    }
    if (life.killed()) {
      killed(life);
    } else {
      tally.lastRunEvents = life.events();
      tally.lastRunNanos = life.runningNanos();
    }
  }

  private void killed(Life life) {
    tally.kills++;
    tally.insideCommit += life.commit() == Beacon.CLOSED ? 0 : 1;
    tally.halfWritten += life.commit() == Beacon.BEGUN ? 1 : 0;
    tally.recovering += life.recoveryNanos() == 0 ? 1 : 0;
    if (answered > 0) {
      witness.dead(tally.kills);
    }
  }

  @Override
  public void waiting() {
    progress.at(this::told);
  }

  private String told() {
    return String.format(
        Locale.ROOT,
        "  %,9d of %,d events, %d of %d kills (%d in an open commit), %d s",
        beacon.get(Field.EVENTS),
        plan.events(),
        tally.kills,
        plan.kills(),
        tally.insideCommit,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin));
  }
}
