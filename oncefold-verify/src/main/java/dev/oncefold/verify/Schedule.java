package dev.oncefold.verify;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * The faults that a process goes through, in their order; the same for the same seed. Each has a
 * part of the input of its own, and the last part is left to be read in peace.
 *
 * @param seed of the moments
 * @param faults the faults
 */
public record Schedule(long seed, List<Planned> faults) {
  /** How much of the input is left for the end, when there are no more faults. */
  private static final double CALM = 0.2;

  /** How often a process that is to die in recovery dies there, one time after another. */
  static final int IN_RECOVERY = 3;

  /** What is done to the process. */
  public enum Kind {
    /** Any moment while events are applied. */
    KILL("F2", 1, "SIGKILL at any moment"),
    /** A part of the commit is written. */
    KILL_HALF_WRITTEN("F2", 1, "SIGKILL in a commit, half written"),
    /** All of the commit is written, and its sync or its answer has not come. */
    KILL_IN_SYNC("F2", 1, "SIGKILL in a commit, in its sync"),
    /** Killed at any moment, and before it has recovered from that, three times over. */
    KILL_RECOVERING("F3", 1 + IN_RECOVERY, "SIGKILL at any moment, then three in recovery"),
    /** Any moment while events are applied. */
    PAUSE("F8", 0, "SIGSTOP at any moment, then SIGCONT"),
    /** A part of the commit is written. */
    PAUSE_IN_COMMIT("F8", 0, "SIGSTOP in a commit, half written, then SIGCONT");

    private final String code;
    private final int kills;
    private final String what;

    Kind(String code, int kills, String what) {
      this.code = code;
      this.kills = kills;
      this.what = what;
    }

    /**
     * The fault's number among all faults.
     *
     * @return such as {@code F2}
     */
    public String code() {
      return code;
    }

    /**
     * How many processes die of it.
     *
     * @return 0 or more
     */
    public int kills() {
      return kills;
    }

    /**
     * What is done.
     *
     * @return a few words
     */
    public String what() {
      return what;
    }
  }

  /**
   * A fault to come.
   *
   * @param number from 1
   * @param kind what is done
   * @param at how much of the input is committed when it comes, from 0 to 1
   * @param until how much of the input may be read before it has come; more than {@code at}
   */
  public record Planned(int number, Kind kind, double at, double until) {}

  /** Copies the list. */
  public Schedule {
    faults = List.copyOf(faults);
  }

  /**
   * Plans faults in random order. Of the kills two of three are aimed into an open commit, and
   * always one more than half of them, since a first one may come too late for a fast disk. Where
   * there are enough others, some come in recovery.
   *
   * @param seed of the order and the moments
   * @param kills how many processes die
   * @param pauses how many times one is paused, every other time in an open commit
   * @return the schedule
   */
  public static Schedule of(long seed, int kills, int pauses) {
    Random random = new Random(seed);
    List<Kind> kinds = new ArrayList<>();
    int inside = Math.min(kills, Math.max(2 * kills / 3, (kills + 1) / 2 + 1));
    for (int i = 0; i < inside; i++) {
      kinds.add(i % 2 == 0 ? Kind.KILL_HALF_WRITTEN : Kind.KILL_IN_SYNC);
    }
    int others = kills - inside;
    int recovering = others < Kind.KILL_RECOVERING.kills ? 0 : Math.max(1, others / 8);
    kinds.addAll(Collections.nCopies(recovering, Kind.KILL_RECOVERING));
    kinds.addAll(Collections.nCopies(others - recovering * Kind.KILL_RECOVERING.kills, Kind.KILL));
    for (int i = 0; i < pauses; i++) {
      kinds.add(i % 2 == 0 ? Kind.PAUSE_IN_COMMIT : Kind.PAUSE);
    }
    Collections.shuffle(kinds, random);
    double part = (1 - CALM) / Math.max(1, kinds.size());
    List<Planned> faults = new ArrayList<>();
    for (int i = 0; i < kinds.size(); i++) {
      double at = part * (i + 0.1 + 0.6 * random.nextDouble());
      faults.add(new Planned(i + 1, kinds.get(i), at, part * (i + 1)));
    }
    return new Schedule(seed, faults);
  }

  /**
   * How many processes die.
   *
   * @return the sum of all faults
   */
  public int kills() {
    return faults.stream().mapToInt(fault -> fault.kind().kills()).sum();
  }

  /**
   * The schedule for a person.
   *
   * @return a line for each fault, under one of titles
   */
  public List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add("  no.  at input  fault  what");
    for (Planned fault : faults) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%5d  %7.1f%%  %-5s  %s",
              fault.number,
              100 * fault.at,
              fault.kind.code,
              fault.kind.what));
    }
    return lines;
  }
}
