package dev.oncefold.journal;

import java.util.Random;

/** Decides which fault strikes when, and tells where it landed. */
final class SimNemesis {
  private static final int NUMBERED = 64;

  private final Random random;
  private final long chosen;
  private final int stormAt;
  private final SimTally tally;
  private int number;
  private int lives;
  private int storm;
  private SimTally.Place phase = SimTally.Place.FIRST_OPEN;

  /**
   * A nemesis.
   *
   * @param chosen which of its first 64 faults strike, one bit each
   * @param stormAt in which life three crashes in a row begin; 0 for none
   */
  SimNemesis(Random random, long chosen, int stormAt, SimTally tally) {
    this.random = random;
    this.chosen = chosen;
    this.stormAt = stormAt;
    this.tally = tally;
  }

  SimTally.Place phase() {
    return phase;
  }

  void phase(SimTally.Place now) {
    phase = now;
  }

  void newLife() {
    if (stormAt > 0 && lives++ == stormAt) {
      storm = 3;
    }
  }

  /** A fault for the first operations of an opening or a rebuild. */
  void armOpening(SimDisk disk) {
    SimFault fault = fault();
    int spared = random.nextInt(40);
    boolean none = random.nextBoolean();
    if (storm > 0) {
      storm--;
      tally.recoveryStorms += storm == 0 ? 1 : 0;
      none = false;
      spared = random.nextInt(10);
      fault = random.nextBoolean() ? SimFault.POWER_LOSS : SimFault.KILL;
    }
    arm(disk, fault, SimFault.Aim.ANYTHING, spared, none);
  }

  /** A fault for the running journal. */
  void armRunning(SimDisk disk) {
    SimFault fault = fault();
    SimFault.Aim[] aims = SimFault.Aim.values();
    // Commits above all.
    SimFault.Aim aim = aims[Math.min(random.nextInt(2 * aims.length), aims.length - 1)];
    if (!fault.isCrash() && random.nextBoolean()) {
      aim = SimFault.Aim.ANYTHING;
    }
    arm(disk, fault, aim, random.nextInt(12), random.nextInt(10) == 0);
  }

  private SimFault fault() {
    return switch (random.nextInt(12)) {
      case 0 -> SimFault.WRITE_ERROR;
      case 1, 2 -> SimFault.SYNC_ERROR;
      case 3 -> SimFault.DIRECTORY_ERROR;
      case 4 -> SimFault.DISK_FULL;
      case 5, 6 -> SimFault.KILL;
      default -> SimFault.POWER_LOSS;
    };
  }

  private void arm(SimDisk disk, SimFault fault, SimFault.Aim aim, int spared, boolean none) {
    int one = number++;
    if (!none && (one >= NUMBERED || (chosen >>> one & 1) == 1)) {
      disk.arm(fault, aim, spared);
    }
  }

  void landed(SimFault fault, SimFault.Op op, String name, boolean openCommit) {
    tally.landed(fault, place(op, name), openCommit);
  }

  private SimTally.Place place(SimFault.Op op, String name) {
    if (phase != SimTally.Place.COMMIT && phase != SimTally.Place.SINK) {
      return phase;
    }
    if (name.isEmpty() && op == SimFault.Op.OPEN) {
      return SimTally.Place.BETWEEN;
    }
    if (op == SimFault.Op.DELETE) {
      return SimTally.Place.RETENTION;
    }
    if (name.contains(Snapshot.SUFFIX)) {
      return SimTally.Place.SNAPSHOT;
    }
    if (name.endsWith(".txt")) {
      return SimTally.Place.SINK;
    }
    return op == SimFault.Op.TRUNCATE || op.ofDirectory() || name.endsWith(Log.TEMPORARY)
        ? SimTally.Place.ROLL
        : SimTally.Place.COMMIT;
  }
}
