package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.FailedEventException;
import dev.oncefold.Slot;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.query.StateQueryRequest;
import org.jspecify.annotations.Nullable;

/**
 * One instance of an application that runs. Safe for use by several threads.
 *
 * @param <S> the type of one key's state
 */
public final class StreamsRun<S> implements AutoCloseable {
  private final KafkaStreams streams;
  private final String store;
  private final Backlog backlog;
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile @Nullable Throwable failure;

  StreamsRun(KafkaStreams streams, String store, Backlog backlog) {
    this.streams = streams;
    this.store = store;
    this.backlog = backlog;
    streams.setUncaughtExceptionHandler(this::failed);
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.NOT_RUNNING || now == KafkaStreams.State.ERROR) {
            over.countDown();
          }
        });
    streams.start();
  }

  private StreamThreadExceptionResponse failed(Throwable thrown) {
    Throwable why = thrown;
    for (Throwable each = thrown; each != null; each = each.getCause()) {
      if (each instanceof FoldStopped stopped) {
        why = stopped.getCause() == null ? stopped : stopped.getCause();
      } else if (each instanceof InvalidTxnStateException) {
        // The cluster has ended the transaction of a thread that stood still for too long. Kafka
        // Streams begins again where it is told so in any other way, but not in this one.
        return StreamThreadExceptionResponse.REPLACE_THREAD;
      } else if (each instanceof IllegalStateException
          && String.valueOf(each.getMessage()).startsWith("Consumer is not subscribed")) {
        // With group.protocol=streams: a thread that leaves and comes again may find that the end
        // of its leaving took its coming away (StreamsMembershipManager, Kafka 4.3.1).
        return StreamThreadExceptionResponse.REPLACE_THREAD;
      }
    }
    if (failure == null) {
      failure = why;
    }
    leave();
    return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
  }

  /**
   * Has the thread that fails leave the group when it ends. By itself it stays a member, and
   * whoever takes over waits for the end of its session: Kafka Streams' own end after a failure
   * always remains in the group ({@code KafkaStreams.closeToError}).
   */
  private void leave() {
    Thread closing = new Thread(this::close, "oncefold-leaving");
    closing.setDaemon(true);
    closing.start();
    // Then the threads are told, while this one has its tasks yet to close. Should it come about
    // otherwise, the session ends.
    long give = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (streams.state().isRunningOrRebalancing() && System.nanoTime() < give) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  /**
   * Waits until the instance has stopped.
   *
   * @throws FailedEventException if it stopped for an event that Failed
   * @throws StreamsFoldException if it stopped for anything else but {@link #close}
   * @throws InterruptedException if interrupted
   */
  public void await() throws InterruptedException {
    over.await();
    Throwable why = failure;
    if (why instanceof FailedEventException failed) {
      throw failed;
    }
    if (why != null) {
      throw told(why);
    }
  }

  private static StreamsFoldException told(Throwable why) {
    for (Throwable each = why; each != null; each = each.getCause()) {
      if (each instanceof StreamsFoldException told) {
        return told;
      }
    }
    return new StreamsFoldException("the application stopped: " + why.getMessage(), why);
  }

  /** Why the instance stopped; null as long as it works, and after it was closed. */
  @Nullable Throwable failure() {
    return failure;
  }

  /**
   * What is committed of a key that belongs to this instance.
   *
   * @param key the key
   * @return its slot; null where it has none, or belongs to another instance ({@link
   *     KafkaStreams#queryMetadataForKey} tells to which), or while the instance is not in the
   *     state RUNNING
   */
  public @Nullable Slot<S> slot(String key) {
    for (QueryResult<FoldStore.Found<S>> each : query(new FoldStore.SlotQuery<S>(key)).values()) {
      if (each.isSuccess() && each.getResult().slot() != null) {
        return each.getResult().slot();
      }
    }
    return null;
  }

  /**
   * The counts of all that was ever committed by the tasks that this instance runs now.
   *
   * @return the counts
   */
  public Counts counts() {
    Counts counts = Counts.NONE;
    for (QueryResult<Head> each : query(new FoldStore.HeadQuery()).values()) {
      if (each.isSuccess()) {
        counts = counts.plus(each.getResult().counts());
      }
    }
    return counts;
  }

  private <R> Map<Integer, QueryResult<R>> query(org.apache.kafka.streams.query.Query<R> query) {
    return streams
        .query(StateQueryRequest.inStore(store).withQuery(query).requireActive())
        .getPartitionResults();
  }

  /**
   * The instance itself.
   *
   * @return for metrics, metadata and the like
   */
  public KafkaStreams streams() {
    return streams;
  }

  Backlog backlog() {
    return backlog;
  }

  /**
   * Commits what is done, stops, and leaves the group: there is nothing on this machine to come
   * back to, so others are better off at once.
   */
  @Override
  public void close() {
    streams.close(
        CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP)
            .withTimeout(Duration.ofSeconds(60)));
  }
}
