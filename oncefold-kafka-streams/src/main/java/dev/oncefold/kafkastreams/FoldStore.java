package dev.oncefold.kafkastreams;

import dev.oncefold.Slot;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;
import org.jspecify.annotations.Nullable;

/**
 * The store of one task: live objects, written to the changelog when a commit is prepared, or when
 * many wait for it.
 *
 * <p>To Kafka Streams it is a store with a cache, so that it is asked to flush when a commit is
 * prepared, before the offsets go into the transaction. {@code CachedStateStore} is not public API.
 * So the store relies on it only once it has been asked in this very task: until then it flushes
 * after each event. A Kafka Streams that never asks makes it slow, and loses nothing.
 *
 * @param <S> the type of one key's state
 */
class FoldStore<S> implements StateStore, CachedStateStore<byte[], byte[]> {
  private final Plan<S, ?, ?> plan;
  private final KeyValueStore<Bytes, byte[]> log;
  private volatile Memory<S> memory;
  private LongSupplier waterline = () -> dev.oncefold.Kernel.NO_FLOOR;
  private boolean asked;
  private boolean committing;
  private boolean uncommitted;
  private boolean inEvent;
  private boolean open;

  /**
   * Asks for what is committed of a key; answered from any thread.
   *
   * @param key the key
   * @param <S> the type of one key's state
   */
  record SlotQuery<S>(String key) implements Query<Found<S>> {}

  /** Asks for everything that is committed, key by key; answered from any thread. */
  record AllQuery<S>() implements Query<Map<String, Slot<S>>> {}

  /** Asks for what is counted; answered from any thread. */
  record HeadQuery() implements Query<Head> {}

  /** What a key has: a result of a query is never null. */
  record Found<S>(@Nullable Slot<S> slot) {}

  FoldStore(Plan<S, ?, ?> plan) {
    this.plan = plan;
    this.memory = new Memory<>(plan.fold(), plan.store());
    this.log =
        Stores.keyValueStoreBuilder(
                Nothing.supplier(plan.store(), (key, value) -> memory().restore(key, value)),
                Serdes.Bytes(),
                Serdes.ByteArray())
            .withLoggingEnabled(plan.changelog())
            .withCachingDisabled()
            .build();
  }

  private Memory<S> memory() {
    return memory;
  }

  @Override
  public String name() {
    return plan.store();
  }

  /** A new life: after a dirty close the same object is begun again. */
  @Override
  public void init(StateStoreContext context, StateStore root) {
    memory = new Memory<>(plan.fold(), context.applicationId() + "-" + plan.store() + "-changelog");
    asked = false;
    committing = false;
    uncommitted = false;
    inEvent = false;
    open = true;
    log.init(context, root);
  }

  // ---------------------------------------------------------------- for the fold's processor

  /**
   * Everything is restored, and events are to come.
   *
   * @param lowest answers the least watermark of the partitions with unread input
   */
  void begin(LongSupplier lowest) {
    waterline = lowest;
    asked = false;
    committing = false;
    uncommitted = false;
    inEvent = false;
    memory.open(plan.accepting());
    plan.shared().begins(this);
  }

  /** No event is to come before {@link #begin}. */
  void end() {
    plan.shared().ends(this);
  }

  Memory<S> live() {
    return memory;
  }

  /**
   * Whether a state that cannot be written is to be found out at once. Otherwise it is when it is
   * flushed, and nobody knows which event made it.
   */
  boolean isCareful() {
    return !asked || plan.shared().isCareful();
  }

  /** An event begins: until it is over nothing can be committed. */
  void beginEvent() {
    settle();
    inEvent = true;
  }

  void endEvent() {
    if (asked && memory.waitsMoreThan(plan.waiting())) {
      carefully(() -> memory.writeEarly(this::log, plan.waiting()));
    }
    inEvent = false;
    if (!asked) {
      write();
    }
  }

  /** Called whenever the thread is known to be past a commit. */
  void settle() {
    if (committing) {
      committing = false;
      uncommitted = false;
      memory.publish();
    }
  }

  /** Whether everything that was done is committed, as far as is known. */
  boolean isSettled() {
    return !uncommitted && !memory.isDirty();
  }

  // ---------------------------------------------------------------- for Kafka Streams

  @Override
  public void flushCache() {
    asked = true;
    write();
    committing = true;
    if (plan.isWhole()) {
      plan.shared().writeAll();
    }
  }

  /**
   * Everything to the changelog. Also called when the commit of another task of the same thread is
   * prepared, and this one's comes next: all of them are in one transaction. Kafka Streams waits
   * for what a task has sent before it asks the next one; so all is sent at once, and waited for
   * once. If it does not ask this one, what was written is committed with what it tells of:
   * outputs, states and positions up to here.
   */
  void write() {
    if (inEvent) {
      throw new StreamsFoldException(
          "an event was begun and not finished; nothing can be committed before the task begins"
              + " anew");
    }
    uncommitted = uncommitted || memory.isDirty();
    carefully(() -> memory.flush(this::log, waterline.getAsLong()));
  }

  private void log(byte[] key, byte @Nullable [] value) {
    log.put(Bytes.wrap(key), value);
  }

  private void carefully(Runnable writing) {
    try {
      writing.run();
    } catch (StreamsFoldException e) {
      // The events since the last commit come again, and then each state is tried at once.
      plan.shared().beCareful();
      throw Routing.again(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public void clearCache() {
    // Called when the task changes its kind; all is flushed and committed by then.
  }

  @Override
  public boolean setFlushListener(
      CacheFlushListener<byte[], byte[]> listener, boolean sendOldValues) {
    return false;
  }

  @Override
  public void close() {
    end();
    open = false;
    log.close();
    memory = new Memory<>(plan.fold(), plan.store());
  }

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @SuppressWarnings("unchecked") // each query names the type of its result
  @Override
  public <R> QueryResult<R> query(Query<R> query, PositionBound bound, QueryConfig config) {
    Memory<S> now = memory;
    if (query instanceof SlotQuery<?> one) {
      return (QueryResult<R>) QueryResult.forResult(new Found<>(now.committed(one.key())));
    }
    if (query instanceof AllQuery<?>) {
      return (QueryResult<R>) QueryResult.forResult(now.committed());
    }
    if (query instanceof HeadQuery) {
      return (QueryResult<R>) QueryResult.forResult(now.committedHead());
    }
    return QueryResult.forUnknownQueryType(query, this);
  }

  /** Makes a store for each task. */
  static class Builder<S> implements StoreBuilder<FoldStore<S>> {
    private final Plan<S, ?, ?> plan;

    Builder(Plan<S, ?, ?> plan) {
      this.plan = plan;
    }

    @Override
    public StoreBuilder<FoldStore<S>> withCachingEnabled() {
      return this;
    }

    @Override
    public StoreBuilder<FoldStore<S>> withCachingDisabled() {
      return this;
    }

    @Override
    public StoreBuilder<FoldStore<S>> withLoggingEnabled(Map<String, String> config) {
      throw new UnsupportedOperationException("set the changelog's settings by StreamsFold");
    }

    @Override
    public StoreBuilder<FoldStore<S>> withLoggingDisabled() {
      throw new UnsupportedOperationException("without a changelog a fold keeps nothing");
    }

    @Override
    public FoldStore<S> build() {
      return new FoldStore<>(plan);
    }

    @Override
    public Map<String, String> logConfig() {
      return plan.changelog();
    }

    @Override
    public boolean loggingEnabled() {
      return true;
    }

    @Override
    public String name() {
      return plan.store();
    }
  }
}
