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

  boolean isInsideCommit() {
    return this == HALF_WRITTEN || this == IN_SYNC;
  }

  /**
   * Aims for so many kills, in random order: two of three inside an open commit, so that some may
   * miss and half of them are there still.
   */
  static List<Aim> plan(int kills, Random random) {
    List<Aim> plan = new ArrayList<>();
    int inside = (2 * kills + 2) / 3;
    for (int i = 0; i < kills; i++) {
      if (i < inside) {
        plan.add(i % 2 == 0 ? IN_SYNC : HALF_WRITTEN);
      } else {
        plan.add(i % 3 == 0 ? RECOVERING : RUNNING);
      }
    }
    Collections.shuffle(plan, random);
    return plan;
  }
}
