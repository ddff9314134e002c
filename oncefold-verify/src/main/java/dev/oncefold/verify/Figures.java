package dev.oncefold.verify;

import dev.oncefold.Counts;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a history went through.
 *
 * @param observations how many observations
 * @param counts the committed events by verdict, as the checker judged them
 * @param keys how many keys have a state
 * @param commits how many commits
 * @param snapshots how many snapshots were compared with the fold of the input
 * @param queries how many answers to queries were compared
 * @param outputs how many outputs were read and compared
 * @param refusals how many refusals were read and compared
 * @param kills how many processes died of a fault
 * @param openCommits how many of them inside an open commit
 * @param landed how often each fault landed
 * @param missed how often each fault did not land
 */
public record Figures(
    long observations,
    Counts counts,
    long keys,
    long commits,
    long snapshots,
    long queries,
    long outputs,
    long refusals,
    int kills,
    int openCommits,
    Map<String, Integer> landed,
    Map<String, Integer> missed) {
  /** Nothing was read. */
  public static final Figures NONE =
      new Figures(0, Counts.NONE, 0, 0, 0, 0, 0, 0, 0, 0, Map.of(), Map.of());

  /** Sorts the faults. */
  public Figures {
    landed = new TreeMap<>(landed);
    missed = new TreeMap<>(missed);
  }

  /**
   * Both together.
   *
   * @param other the figures of another history
   * @return the sums; of the keys those of the one that has more
   */
  public Figures plus(Figures other) {
    return new Figures(
        observations + other.observations,
        counts.plus(other.counts),
        Math.max(keys, other.keys),
        commits + other.commits,
        snapshots + other.snapshots,
        queries + other.queries,
        outputs + other.outputs,
        refusals + other.refusals,
        kills + other.kills,
        openCommits + other.openCommits,
        sum(landed, other.landed),
        sum(missed, other.missed));
  }

  private static Map<String, Integer> sum(Map<String, Integer> one, Map<String, Integer> other) {
    Map<String, Integer> sum = new TreeMap<>(one);
    other.forEach((fault, times) -> sum.merge(fault, times, Integer::sum));
    return sum;
  }
}
