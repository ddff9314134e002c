package dev.oncefold.journal;

import dev.oncefold.verify.DiskFault;
import dev.oncefold.verify.Figures;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

/** What happened in many runs, so that a test can tell that its faults landed. */
final class SimTally {
  /** Where a process died. */
  enum Place {
    FIRST_OPEN,
    RECOVERY,
    COMMIT,
    ROLL,
    SNAPSHOT,
    RETENTION,
    SINK,
    CLOSE,
    REBUILD,
    BETWEEN
  }

  long seeds;
  long lives;
  long crashes;
  long openCommits;
  long recoveryStorms;
  long events;
  long resends;
  long commits;
  long expired;
  long conflicts;
  long fenced;
  long survivedUnanswered;
  long segments;
  long snapshots;
  long dropped;
  long rebuilt;
  long readBeside;
  long damaged;
  long damageDetected;
  private long observations;
  private long compared;
  // How often each fault of the proof landed, by its number.
  final Map<String, Integer> landed = new TreeMap<>();
  final Map<DiskFault, Long> faults = new EnumMap<>(DiskFault.class);
  final Map<Place, Long> places = new EnumMap<>(Place.class);

  void landed(DiskFault fault, Place place, boolean openCommit) {
    faults.merge(fault, 1L, Long::sum);
    if (fault.isCrash()) {
      crashes++;
      openCommits += openCommit ? 1 : 0;
      places.merge(place, 1L, Long::sum);
    }
  }

  /** The checker passed a history. */
  void checked(Figures figures) {
    observations += figures.observations();
    compared += figures.snapshots();
    figures.landed().forEach((fault, times) -> landed.merge(fault, times, Integer::sum));
  }

  /** Adds what happened in other runs. */
  void add(SimTally other) {
    seeds += other.seeds;
    lives += other.lives;
    crashes += other.crashes;
    openCommits += other.openCommits;
    recoveryStorms += other.recoveryStorms;
    events += other.events;
    resends += other.resends;
    commits += other.commits;
    expired += other.expired;
    conflicts += other.conflicts;
    fenced += other.fenced;
    survivedUnanswered += other.survivedUnanswered;
    segments += other.segments;
    snapshots += other.snapshots;
    dropped += other.dropped;
    rebuilt += other.rebuilt;
    readBeside += other.readBeside;
    damaged += other.damaged;
    damageDetected += other.damageDetected;
    observations += other.observations;
    compared += other.compared;
    other.landed.forEach((fault, times) -> landed.merge(fault, times, Integer::sum));
    other.faults.forEach((fault, times) -> faults.merge(fault, times, Long::sum));
    other.places.forEach((place, times) -> places.merge(place, times, Long::sum));
  }

  @Override
  public String toString() {
    return seeds
        + " seeds, "
        + lives
        + " lives, "
        + crashes
        + " crashes ("
        + openCommits
        + " with an open commit, "
        + recoveryStorms
        + " times three during recovery) at "
        + places
        + ", faults "
        + faults
        + ", "
        + events
        + " events, "
        + resends
        + " re-sends, "
        + commits
        + " batches ("
        + survivedUnanswered
        + " survived unanswered), "
        + expired
        + " expired, "
        + conflicts
        + " conflicts, "
        + fenced
        + " stale claims refused, "
        + segments
        + " segments ("
        + dropped
        + " dropped), "
        + snapshots
        + " snapshots, "
        + rebuilt
        + " rebuilds, "
        + readBeside
        + " views from beside, "
        + damageDetected
        + " of "
        + damaged
        + " damages detected (the others stood where nothing is read), "
        + observations
        + " observations checked with "
        + compared
        + " snapshots, no false alarm under "
        + landed;
  }
}
