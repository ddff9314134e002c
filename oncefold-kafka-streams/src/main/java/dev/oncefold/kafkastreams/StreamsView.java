package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import java.util.HashMap;
import java.util.Map;

/**
 * What is committed, as it was read at one time. Each task is shown as of one of its commits.
 *
 * @param slots the slots by key
 * @param counts the counts of all that was ever committed
 * @param <S> the type of one key's state
 */
public record StreamsView<S>(Map<String, Slot<S>> slots, Counts counts) {
  /** Copies the map. */
  public StreamsView {
    slots = Map.copyOf(slots);
  }

  /**
   * Reads the changelog of an application, which may run or not, from anywhere.
   *
   * @param settings of a Kafka consumer: {@code bootstrap.servers} and what it takes to be let in
   * @param application the application's id
   * @param fold the fold as it is stored
   * @param <S> the type of one key's state
   * @return what is committed
   * @throws StreamsFoldException if there is no changelog, or it cannot be read
   */
  public static <S> StreamsView<S> read(
      Map<String, Object> settings, String application, StreamsFold<S, ?, ?> fold) {
    try (Changelog<S> changelog = changelog(settings, application, fold)) {
      changelog.readOn((partition, memory) -> {});
      Map<String, Slot<S>> slots = new HashMap<>();
      Counts counts = Counts.NONE;
      for (Memory<S> memory : changelog.memories().values()) {
        slots.putAll(memory.committed());
        counts = counts.plus(memory.committedHead().counts());
      }
      return new StreamsView<>(slots, counts);
    }
  }

  /**
   * Reads what an application has counted, which may run or not, from anywhere. It reads the end of
   * the changelog only.
   *
   * @param settings of a Kafka consumer, as for {@link #read}
   * @param application the application's id
   * @param fold the fold as it is stored
   * @return the counts of all that was ever committed
   * @throws StreamsFoldException if there is no changelog, or it cannot be read
   */
  public static Counts counts(
      Map<String, Object> settings, String application, StreamsFold<?, ?, ?> fold) {
    try (Changelog<?> changelog = changelog(settings, application, fold)) {
      return changelog.counts();
    }
  }

  private static <S> Changelog<S> changelog(
      Map<String, Object> settings, String application, StreamsFold<S, ?, ?> fold) {
    return new Changelog<>(settings, fold.ownTopics(application).get(0), fold.fold());
  }
}
