package dev.oncefold.kafkastreams;

import dev.oncefold.Kernel;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How far a task has applied each partition of the input. Belongs to one thread. */
final class Inputs {
  private final Map<String, Input> all = new HashMap<>();
  // The one of the last event: mostly the next one's, too.
  private @Nullable Input last;

  private static final class Input {
    final String topic;
    final String topicId;
    final int partition;
    long offset = -1;
    int place;
    long watermark = Kernel.NO_FLOOR;

    Input(String topic, String topicId, int partition) {
      this.topic = topic;
      this.topicId = topicId;
      this.partition = partition;
    }
  }

  private static String id(String topicId, int partition) {
    return topicId + '/' + partition;
  }

  private Input of(Origin origin) {
    Input found = last;
    if (found == null
        || found.partition != origin.partition()
        || !found.topicId.equals(origin.topicId())) {
      found =
          all.computeIfAbsent(
              id(origin.topicId(), origin.partition()),
              id -> new Input(origin.topic(), origin.topicId(), origin.partition()));
      last = found;
    }
    return found;
  }

  /** Whether an event was applied before. */
  boolean isApplied(Origin origin) {
    Input found = of(origin);
    return origin.offset() < found.offset
        || (origin.offset() == found.offset && origin.place() <= found.place);
  }

  /** Moves the position behind an event; a time moves the watermark. */
  void passed(Origin origin, long time) {
    Input found = of(origin);
    found.offset = origin.offset();
    found.place = origin.place();
    found.watermark = Math.max(found.watermark, time);
  }

  /** The watermark of a partition; {@link Kernel#NO_FLOOR} where it has none. */
  long watermark(String topicId, int partition) {
    Input found = all.get(id(topicId, partition));
    return found == null ? Kernel.NO_FLOOR : found.watermark;
  }

  /** The greatest watermark of all partitions. */
  long watermark() {
    long most = Kernel.NO_FLOOR;
    for (Input each : all.values()) {
      most = Math.max(most, each.watermark);
    }
    return most;
  }

  /** As they stand in the head, by {@code topic id/partition}. */
  Map<String, Head.Input> stored() {
    Map<String, Head.Input> stored = new LinkedHashMap<>();
    all.forEach(
        (id, each) -> {
          if (each.offset >= 0) {
            stored.put(
                id,
                new Head.Input(
                    each.topic, each.partition, each.offset, each.place, each.watermark));
          }
        });
    return stored;
  }

  void restore(Map<String, Head.Input> stored) {
    all.clear();
    last = null;
    stored.forEach(
        (id, each) -> {
          Input found =
              new Input(each.topic(), id.substring(0, id.lastIndexOf('/')), each.partition());
          found.offset = each.offset();
          found.place = each.place();
          found.watermark = each.watermark();
          all.put(id, found);
        });
  }
}
