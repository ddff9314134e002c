package dev.oncefold.kafkastreams;

import dev.oncefold.Fold;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the user wants, and what the tasks share.
 *
 * @param fold the fold
 * @param store the name of the store
 * @param topics the topics that the input is read from straight; empty where that is not known
 * @param repartitions whether events go through a repartition topic
 * @param partitions how many partitions that has; 0 for as many as the input
 * @param accepting whether a change of the fold is accepted
 * @param refusing positions of Failed events that are refused though the fold stops for them
 * @param changelog settings of the changelog topic
 * @param clock held against event times
 * @param backlog what of the input is unread
 * @param shared what the tasks share
 * @param waiting how many changed states may wait for the commit to be prepared; further ones are
 *     written before
 */
record Plan<S, E, O>(
    Fold<S, E, O> fold,
    String store,
    List<String> topics,
    boolean repartitions,
    int partitions,
    boolean accepting,
    Set<String> refusing,
    Map<String, String> changelog,
    Clock clock,
    Backlog backlog,
    Shared shared,
    int waiting) {
  boolean isStraight() {
    return !topics.isEmpty();
  }

  /**
   * Whether nothing of the user's stands before the fold in its sub-topology: then all that a
   * thread has sent is committed by what the fold knows of, or not at all.
   */
  boolean isWhole() {
    return waiting < Integer.MAX_VALUE;
  }

  String repartitionTopic(String application) {
    return application + "-" + store + "-repartition";
  }
}
