package dev.oncefold.journal;

import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.DiskObserver;
import dev.oncefold.verify.SimulatedDisk;
import java.nio.ByteBuffer;
import java.util.Random;

/** Decides which fault strikes when, and tells where it landed. */
final class SimNemesis implements DiskObserver {
  private static final int NUMBERED = 64;

  private final Random random;
  private final long chosen;
  private final int stormAt;
  private final SimTally tally;
  private final SimHistory history;
  private int number;
  private int lives;
  private int storm;
  private int crashesInRecovery;
  private SimTally.Place phase = SimTally.Place.FIRST_OPEN;

  /**
   * A nemesis.
   *
   * @param chosen which of its first 64 faults strike, one bit each
   * @param stormAt in which life three crashes in a row begin; 0 for none
   */
  SimNemesis(Random random, long chosen, int stormAt, SimTally tally, SimHistory history) {
    this.random = random;
    this.chosen = chosen;
    this.stormAt = stormAt;
    this.tally = tally;
    this.history = history;
  }

  SimTally.Place phase() {
    return phase;
  }

  void phase(SimTally.Place now) {
    phase = now;
    crashesInRecovery = now == SimTally.Place.RECOVERY ? crashesInRecovery : 0;
  }

  void newLife() {
    if (stormAt > 0 && lives++ == stormAt) {
      storm = 3;
    }
  }

  /** A fault for the first operations of an opening or a rebuild. */
  void armOpening(SimulatedDisk disk) {
    DiskFault fault = fault();
    int spared = random.nextInt(40);
    boolean none = random.nextBoolean();
    if (storm > 0) {
      storm--;
      tally.recoveryStorms += storm == 0 ? 1 : 0;
      none = false;
      spared = random.nextInt(10);
      fault = random.nextBoolean() ? DiskFault.POWER_LOSS : DiskFault.KILL;
    }
    arm(disk, fault, SimAim.ANYTHING, spared, none);
  }

  /** A fault for the running journal. */
  void armRunning(SimulatedDisk disk) {
    DiskFault fault = fault();
    SimAim[] aims = SimAim.values();
    // Commits above all.
    SimAim aim = aims[Math.min(random.nextInt(2 * aims.length), aims.length - 1)];
    if (!fault.isCrash() && random.nextBoolean()) {
      aim = SimAim.ANYTHING;
    }
    arm(disk, fault, aim, random.nextInt(12), random.nextInt(10) == 0);
  }

  private DiskFault fault() {
    return switch (random.nextInt(12)) {
      case 0 -> DiskFault.WRITE_ERROR;
      case 1, 2 -> DiskFault.SYNC_ERROR;
      case 3 -> DiskFault.DIRECTORY_ERROR;
      case 4 -> DiskFault.DISK_FULL;
      case 5, 6 -> DiskFault.KILL;
      default -> DiskFault.POWER_LOSS;
    };
  }

  private void arm(SimulatedDisk disk, DiskFault fault, SimAim aim, int spared, boolean none) {
    int one = number++;
    if (!none && (one >= NUMBERED || (chosen >>> one & 1) == 1)) {
      disk.arm(fault, aim, spared);
    }
  }

  @Override
  public boolean opensCommit(String name, byte[] bytes) {
    return name.endsWith(Log.SUFFIX)
        && bytes.length >= Frame.HEADER
        && ByteBuffer.wrap(bytes).getInt(0) == Frame.MAGIC
        && bytes[9] == Frame.COMMIT;
  }

  @Override
  public void renamed(String to) {
    tally.snapshots += to.endsWith(Snapshot.SUFFIX) ? 1 : 0;
    tally.segments += to.endsWith(Log.SUFFIX) ? 1 : 0;
  }

  @Override
  public void deleted(String name) {
    tally.dropped += name.endsWith(Log.SUFFIX) ? 1 : 0;
  }

  @Override
  public void landed(DiskFault fault, DiskFault.Op op, String name, boolean openCommit) {
    tally.landed(fault, place(op, name), openCommit);
    history.landed(fault, op, name, openCommit);
    if (fault.isCrash() && phase == SimTally.Place.RECOVERY) {
      crashesInRecovery++;
      if (crashesInRecovery == 3) {
        history.fault("F3", "the third crash of a recovery in a row");
      }
    } else {
      crashesInRecovery = 0;
    }
  }

  private SimTally.Place place(DiskFault.Op op, String name) {
    if (phase != SimTally.Place.COMMIT && phase != SimTally.Place.SINK) {
      return phase;
    }
    if (name.isEmpty() && op == DiskFault.Op.OPEN) {
      return SimTally.Place.BETWEEN;
    }
    if (op == DiskFault.Op.DELETE) {
      return SimTally.Place.RETENTION;
    }
    if (name.contains(Snapshot.SUFFIX)) {
      return SimTally.Place.SNAPSHOT;
    }
    if (name.endsWith(".txt")) {
      return SimTally.Place.SINK;
    }
    return op == DiskFault.Op.TRUNCATE || op.ofDirectory() || name.endsWith(Log.TEMPORARY)
        ? SimTally.Place.ROLL
        : SimTally.Place.COMMIT;
  }
}
