package dev.oncefold.cli;

import dev.oncefold.cli.Report.Plan;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The walk of the demo: writes payments, has them applied by a worker that is killed again and
 * again, works everything out a second time, and compares.
 */
final class Demo {
  private final Workplace at;
  private final Plan plan;
  private final Progress progress;
  private volatile @Nullable Kills running;

  Demo(Workplace at, Plan plan, Progress progress) {
    this.at = at;
    this.plan = plan;
    this.progress = progress;
  }

  Report run() throws IOException, InterruptedException {
    long begin = System.nanoTime();
    progress.step("writing the payments");
    PaymentFile.write(at.payments(), plan.seed(), plan.events());
    Kills kills =
        new Kills(
            at,
            Beacon.at(at.beacon()),
            Files.size(at.payments()),
            new Random(plan.seed()),
            progress);
    running = kills;
    Kills.Tally tally = kills.run(plan.kills());
    progress.step("working everything out a second time");
    return compared(at, plan, tally, begin);
  }

  /** Ends the worker, if there is one. */
  void abandon() {
    Kills kills = running;
    if (kills != null) {
      kills.abandon();
    }
  }

  /** Compares what stands in a directory with what should. */
  static Report compared(Workplace at, Plan plan, Kills.Tally tally, long begin)
      throws IOException {
    View<Account> view = Journal.view(at.journal(), Payments.fold());
    try (Reference reference = new Reference(at.payments())) {
      reference.readTo(Files.size(at.payments()));
      Comparison comparison = new Comparison(reference);
      comparison.compare(view, String.valueOf(at.payments().getFileName()));
      comparison.compare(at.receipts(), at.refusals());
      return new Report(
          plan,
          view.counts(),
          tally,
          comparison.lost(),
          comparison.doubled(),
          comparison.differences(),
          comparison.shown(),
          (System.nanoTime() - begin) / 1e9);
    }
  }
}
