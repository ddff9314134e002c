package dev.oncefold.testkit;

import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Source;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A source that hands out no more of its input than the {@link Beacon} allows, and shows there how
 * far it is: so that every fault falls into a part of the input of its own. The input has one
 * partition.
 *
 * @param <E> what is in the events
 */
public final class PacedSource<E> implements Source<E> {
  private static final int SMALL_BATCH = 128;

  private final Source<E> source;
  private final Beacon beacon;
  private final Runnable committed;
  private final long opened;
  private long handed;
  private long firstRead;

  /**
   * Paces a source.
   *
   * @param source the source
   * @param beacon says how far it may go
   * @param opened when the journal began to be opened, by {@link System#nanoTime}
   * @param committed told after each commit
   */
  public PacedSource(Source<E> source, Beacon beacon, long opened, Runnable committed) {
    this.source = source;
    this.beacon = beacon;
    this.opened = opened;
    this.committed = committed;
  }

  @Override
  public List<String> partitions() {
    return source.partitions();
  }

  @Override
  public void seek(String partition, Position position) {
    source.seek(partition, position);
    handed = position.offset();
    beacon.set(Field.HANDED, handed);
    beacon.set(Field.COMMITTED, handed);
    beacon.set(Field.RESUMED, handed);
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) throws InterruptedException {
    if (firstRead != 0 && beacon.get(Field.RECOVERY) == 0) {
      // The runner asks again: it has judged the first batch.
      beacon.set(Field.RECOVERY, System.nanoTime() - opened);
    }
    long allowed = beacon.get(Field.ALLOWED);
    while (handed >= allowed) {
      TimeUnit.MICROSECONDS.sleep(100);
      allowed = beacon.get(Field.ALLOWED);
    }
    boolean paced = allowed != Long.MAX_VALUE;
    Polled<E> next = source.poll(paced ? Math.min(max, SMALL_BATCH) : max, wait);
    if (next != null) {
      firstRead = firstRead == 0 ? System.nanoTime() : firstRead;
      handed = next.to().offset();
      beacon.set(Field.HANDED, handed);
    }
    return next;
  }

  /** All that was handed out is committed. */
  public void finished() {
    beacon.set(Field.RUNNING, System.nanoTime() - firstRead);
  }

  @Override
  public void acknowledge(String partition, Position position) {
    source.acknowledge(partition, position);
    beacon.set(Field.COMMITTED, position.offset());
    committed.run();
  }

  @Override
  public boolean ended() {
    return source.ended();
  }

  @Override
  public void close() {
    source.close();
  }
}
