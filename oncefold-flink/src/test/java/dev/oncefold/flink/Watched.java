package dev.oncefold.flink;

import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The cluster of a job that is to be killed. Before a committer commits what belongs to a complete
 * checkpoint it asks who owns the job's name: there it shows itself on a beacon, and waits if the
 * rig wants it. The rig can make a task throw and the fold slow by the same beacon.
 */
final class Watched extends Through {
  /** Every committer waits. */
  static final long ALL = 1;

  /** One committer waits, and all others go on. */
  static final long ONE = 2;

  /** The next output that is sent throws, once. */
  static final long THROW = 3;

  /** Every committer of a job that has taken over the name waits. */
  static final long TAKEN_OVER = 4;

  private static final Map<String, Beacon> BEACONS = new ConcurrentHashMap<>();
  private static final AtomicReference<@Nullable Watched> WAITING = new AtomicReference<>();

  private static final Set<Beacon> TAKEN = ConcurrentHashMap.newKeySet();

  private final Beacon beacon;

  private Watched(Cluster cluster, Beacon beacon) {
    super(cluster);
    this.beacon = beacon;
  }

  static Cluster.Connecting connecting(String beacon) {
    return settings -> new Watched(new KafkaCluster(settings), beacon(beacon));
  }

  private static Beacon beacon(String file) {
    return BEACONS.computeIfAbsent(
        file,
        each -> {
          try {
            return Beacon.at(Path.of(each));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  @Override
  public @Nullable String note(String group, TopicPartition partition) throws Exception {
    long hold = beacon.get(Field.HOLD);
    if (hold == ALL
        || (hold == ONE && isTheOne())
        || (hold == TAKEN_OVER && TAKEN.contains(beacon))) {
      beacon.begun();
      beacon.closed();
      WAITING.set(null);
    }
    return super.note(group, partition);
  }

  @Override
  public void note(String group, TopicPartition partition, String text) throws Exception {
    super.note(group, partition, text);
    TAKEN.add(beacon);
  }

  private boolean isTheOne() {
    return WAITING.compareAndSet(null, this) || WAITING.get() == this;
  }

  /** Of an output on its way: throws if the rig wants it. */
  static void passes(String file) {
    Beacon beacon = beacon(file);
    if (beacon.get(Field.HOLD) == THROW) {
      beacon.set(Field.HOLD, Beacon.HOLD_NOWHERE);
      throw new IllegalStateException("a task fails, as the rig wants it");
    }
  }

  /** Of an event: takes as many nanoseconds as the rig allows. */
  static void takesTime(String file) {
    long nanos = beacon(file).get(Field.ALLOWED);
    if (nanos > 0) {
      LockSupport.parkNanos(nanos);
    }
  }
}
