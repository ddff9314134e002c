package dev.oncefold.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** At which moment a kill is aimed. */
enum Aim {
  /** Any moment while events are applied. */
  RUNNING,
  /** Between the opening of the journal and, about, the first event. */
  RECOVERING,
  /** Inside an open commit: a part of its frame is written. */
  HALF_WRITTEN,
  /** Inside an open commit: its frame is written, its sync has not returned. */
  IN_SYNC;

  /**
   * Aims for so many kills, in random order: two of three inside an open commit, and always one
   * more than half of them, since a first one may come too late for a fast disk.
   */
  static List<Aim> plan(int kills, Random random) {
    int inside = Math.min(kills, Math.max(2 * kills / 3, (kills + 1) / 2 + 1));
    List<Aim> plan = new ArrayList<>();
    for (int i = 0; i < kills; i++) {
      if (i < inside) {
        plan.add(i % 2 == 0 ? HALF_WRITTEN : IN_SYNC);
      } else {
        plan.add(i % 3 == 0 ? RECOVERING : RUNNING);
      }
    }
    Collections.shuffle(plan, random);
    return plan;
  }
}
