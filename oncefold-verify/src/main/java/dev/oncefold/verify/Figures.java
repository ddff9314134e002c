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
  /** Sorts the faults. */
  public Figures {
    landed = new TreeMap<>(landed);
    missed = new TreeMap<>(missed);
  }
}
