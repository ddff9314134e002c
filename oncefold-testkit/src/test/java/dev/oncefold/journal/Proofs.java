package dev.oncefold.journal;

import java.util.List;

/** The tests of this package whose figures are published. */
public final class Proofs {
  /** Tells what its faults were. */
  public static final Class<?> SIMULATION = SimulationTest.class;

  /** Tell after how many seeds each broken journal was caught, and by which rule. */
  public static final List<Class<?>> BROKEN =
      List.of(BrokenJournalsTest.class, BrokenMemoriesTest.class);

  private Proofs() {}
}
