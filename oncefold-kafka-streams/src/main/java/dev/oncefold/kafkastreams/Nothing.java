package dev.oncefold.kafkastreams;

import java.util.List;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.query.Position;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * A store of bytes that keeps nothing: what Kafka Streams puts around it writes the changelog, and
 * what the changelog holds is passed on.
 */
final class Nothing implements KeyValueStore<Bytes, byte[]> {
  private final String name;
  private final Restored restored;
  // Asked for with each record.
  private final Position nowhere = Position.emptyPosition();
  private boolean open;

  /** Takes what the changelog holds. */
  @FunctionalInterface
  interface Restored {
    void record(byte[] key, byte @Nullable [] value);
  }

  private Nothing(String name, Restored restored) {
    this.name = name;
    this.restored = restored;
  }

  static KeyValueBytesStoreSupplier supplier(String name, Restored restored) {
    return new KeyValueBytesStoreSupplier() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public KeyValueStore<Bytes, byte[]> get() {
        return new Nothing(name, restored);
      }

      @Override
      public String metricsScope() {
        return "oncefold";
      }
    };
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void init(StateStoreContext context, StateStore root) {
    context.register(root, restored::record);
    open = true;
  }

  @Override
  public void put(Bytes key, byte[] value) {
    // It goes to the changelog.
  }

  @Override
  public Position getPosition() {
    return nowhere;
  }

  @Override
  public void close() {
    open = false;
  }

  @Override
  public boolean persistent() {
    return false;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public byte[] putIfAbsent(Bytes key, byte[] value) {
    throw keepsNothing();
  }

  @Override
  public void putAll(List<KeyValue<Bytes, byte[]>> entries) {
    throw keepsNothing();
  }

  @Override
  public byte[] delete(Bytes key) {
    throw keepsNothing();
  }

  @Override
  public byte[] get(Bytes key) {
    throw keepsNothing();
  }

  @Override
  public KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
    throw keepsNothing();
  }

  @Override
  public KeyValueIterator<Bytes, byte[]> all() {
    throw keepsNothing();
  }

  @Override
  public long approximateNumEntries() {
    return 0;
  }

  private static UnsupportedOperationException keepsNothing() {
    return new UnsupportedOperationException("this store keeps nothing");
  }
}
