package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.cli.Report.Plan;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import java.io.IOException;
import java.nio.file.Files;
import org.jspecify.annotations.Nullable;

/**
 * The walk of the demo: writes payments, has them applied by a worker that is killed again and
 * again, works everything out a second time, and compares.
 */
final class Demo {
  private final Class<?> worker;
  private final Workplace at;
  private final Plan plan;
  private final Progress progress;
  private volatile @Nullable Kills running;

  /**
   * A demo.
   *
   * @param worker the main class of the process that is killed
   * @param at where to work
   * @param plan what to do
   * @param progress told how far it is
   */
  Demo(Class<?> worker, Workplace at, Plan plan, Progress progress) {
    this.worker = worker;
    this.at = at;
    this.plan = plan;
    this.progress = progress;
  }

  Report run() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    progress.step("writing the payments");
    PaymentFile.write(at.payments(), plan.seed(), plan.events());
    try (Reference reference = new Reference(at.payments())) {
      Comparison comparison = new Comparison(reference);
      Kills.Tally tally = kill(comparison);
      progress.step("comparing");
      Counts counts = compare(at, reference, comparison);
      return new Report(plan, counts, tally, comparison, (System.nanoTime() - begin) / 1e9);
    }
  }

  private Kills.Tally kill(Comparison comparison) throws IOException, InterruptedException {
    try (Kills kills = new Kills(worker, at, plan, progress, witness(comparison))) {
      running = kills;
      return kills.run();
    }
  }

  private Kills.Witness witness(Comparison comparison) {
    return new Kills.Witness() {
      @Override
      public void dead(int kill) {
        View<Account> view = Journal.view(at.journal(), Payments.fold());
        comparison.recoveryPoint(kill, view, at.partition());
      }

      @Override
      public void resumed(int kill, long from, long answered, long handed) {
        comparison.resumed(kill, from, answered, handed);
      }
    };
  }

  /** Compares everything in a directory with what should be there at the end of the payments. */
  static Counts compare(Workplace at, Reference reference, Comparison comparison)
      throws IOException {
    reference.readTo(Files.size(at.payments()));
    View<Account> view = Journal.view(at.journal(), Payments.fold());
    comparison.end(view, at.partition());
    comparison.end(at.receipts(), at.refusals());
    return view.counts();
  }

  /** Ends the worker, if there is one. */
  void abandon() {
    Kills kills = running;
    if (kills != null) {
      kills.close();
    }
  }
}
