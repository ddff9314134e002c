package dev.oncefold.kafkastreams;

import java.util.List;

/**
 * What a crash run is made of.
 *
 * @param seed of the input and of the moments of faults
 * @param course whom the faults are for
 * @param worker what is run: the fold, or a plain application
 * @param resends whether some events are sent again
 * @param events how many records are fed
 * @param keys how many keys they change
 * @param rounds how often each fault is tried
 * @param protocol of the group: {@code classic} or {@code streams}
 */
record CrashPlan(
    long seed,
    Course course,
    Class<?> worker,
    boolean resends,
    int events,
    int keys,
    int rounds,
    String protocol) {

  /** Whom the faults of a run are for. */
  enum Course {
    /**
     * Workers alone, with one broker. It lives: Kafka 4.3.1 may lose the mark of a transaction when
     * it is killed between answering a commit and marking it, and then nobody reads on.
     */
    WORKERS(1, 3000, 4, 2, "F2,F8,F14,F15"),
    /** A plain application, which shows no commits. */
    PLAIN(1, 3000, 4, 0, "F2"),
    /** Each of three brokers, and workers between them and beside them. */
    BROKERS(3, 6000, 9, 3, "F2,F12");

    private final int brokers;
    private final int transactionMillis;
    private final int kills;
    private final int inCommits;
    private final String faults;

    Course(int brokers, int transactionMillis, int kills, int inCommits, String faults) {
      this.brokers = brokers;
      this.transactionMillis = transactionMillis;
      this.kills = kills;
      this.inCommits = inCommits;
      this.faults = faults;
    }

    /** How many brokers there are. */
    int brokers() {
      return brokers;
    }

    /**
     * How long a transaction may last. With one broker that is shorter than the pauses of workers,
     * with three longer than it takes the cluster to go on without one.
     */
    int transactionMillis() {
      return transactionMillis;
    }

    /** How many processes die in each round. */
    int kills() {
      return kills;
    }

    /** How many of them at least inside an open commit. */
    int inCommits() {
      return inCommits;
    }

    /** The faults of each round. */
    List<String> faults() {
      return List.of(faults.split(",", -1));
    }
  }
}
