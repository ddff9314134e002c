package dev.oncefold.journal;

/** Makes a failing run smaller: fewer events, fewer steps, fewer faults. */
final class SimShrinker {
  /** The smallest case found, and how it fails. */
  record Shrunk(Simulation.Case smallest, SimViolation violation) {}

  private static final int MOST_EVENTS = 100;
  private static final int MOST_STEPS = 350;
  private static final int MOST_FAULTS = 64;

  private final SimBreakage breakage;
  private Simulation.Case smallest;
  private SimViolation violation;

  private SimShrinker(long seed, SimViolation violation, SimBreakage breakage) {
    this.breakage = breakage;
    this.smallest = new Simulation.Case(seed, MOST_EVENTS, MOST_STEPS, -1);
    this.violation = violation;
  }

  static Shrunk shrink(long seed, SimViolation violation, SimBreakage breakage) {
    SimShrinker shrinker = new SimShrinker(seed, violation, breakage);
    Simulation.Case before;
    do {
      before = shrinker.smallest;
      shrinker.fewerEvents();
      shrinker.fewerFaults();
      shrinker.fewerSteps();
    } while (!shrinker.smallest.equals(before));
    return new Shrunk(shrinker.smallest, shrinker.violation);
  }

  private void fewerSteps() {
    for (int less = smallest.steps() / 2; less > 0; ) {
      Simulation.Case c = smallest;
      if (!fails(new Simulation.Case(c.seed(), c.events(), c.steps() - less, c.faults()))) {
        less /= 2;
      } else {
        less = Math.min(less, smallest.steps() - 1);
      }
    }
  }

  private void fewerEvents() {
    for (int less = smallest.events() / 2; less > 0; ) {
      Simulation.Case c = smallest;
      if (!fails(new Simulation.Case(c.seed(), c.events() - less, c.steps(), c.faults()))) {
        less /= 2;
      } else {
        less = Math.min(less, smallest.events() - 1);
      }
    }
  }

  private void fewerFaults() {
    for (int i = 0; i < MOST_FAULTS; i++) {
      Simulation.Case c = smallest;
      if ((c.faults() >>> i & 1) == 1) {
        var unused =
            fails(new Simulation.Case(c.seed(), c.events(), c.steps(), c.faults() & ~(1L << i)));
      }
    }
  }

  private boolean fails(Simulation.Case smaller) {
    try {
      new Simulation(smaller, breakage, new SimTally()).run();
      return false;
    } catch (SimViolation found) {
      smallest = smaller;
      violation = found;
      return true;
    }
  }
}
