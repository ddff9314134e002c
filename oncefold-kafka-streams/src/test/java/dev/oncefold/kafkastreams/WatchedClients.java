package dev.oncefold.kafkastreams;

import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/** Clients that show on a beacon where a commit is, and wait there if the rig wants it. */
final class WatchedClients implements KafkaClientSupplier {
  /** The commit waits when everything is sent, the changelog too, and the offsets are not. */
  static final long BEFORE_OFFSETS = 1;

  /** The commit waits when the offsets are sent, too, and the end of the transaction is not. */
  static final long BEFORE_COMMIT = 2;

  private final KafkaClientSupplier real = new DefaultKafkaClientSupplier();
  private final Beacon beacon;
  private final Consumer<String> transactions;

  /** Clients whose transactions nobody asks for. */
  WatchedClients(Beacon beacon) {
    this(beacon, id -> {});
  }

  /**
   * Clients of an instance.
   *
   * @param beacon where they show its commits
   * @param transactions told of the id of each thread's transactions, before the first begins
   */
  WatchedClients(Beacon beacon, Consumer<String> transactions) {
    this.beacon = beacon;
    this.transactions = transactions;
  }

  @Override
  @SuppressWarnings("unchecked")
  public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
    transactions.accept(String.valueOf(config.get("transactional.id")));
    Producer<byte[], byte[]> producer = real.getProducer(config);
    return (Producer<byte[], byte[]>)
        Proxy.newProxyInstance(
            Producer.class.getClassLoader(),
            new Class<?>[] {Producer.class},
            (proxy, method, args) -> {
              boolean commits = method.getName().equals("commitTransaction");
              if (method.getName().equals("sendOffsetsToTransaction")) {
                waitsAt(BEFORE_OFFSETS);
              }
              if (commits) {
                waitsAt(BEFORE_COMMIT);
                beacon.set(Field.COMMIT, Beacon.WRITTEN);
              }
              try {
                return method.invoke(producer, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              } finally {
                if (commits) {
                  beacon.closed();
                }
              }
            });
  }

  private void waitsAt(long place) {
    if (beacon.get(Field.HOLD) == place) {
      beacon.begun();
    }
  }

  @Override
  public Admin getAdmin(Map<String, Object> config) {
    return real.getAdmin(config);
  }

  @Override
  public org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> getConsumer(
      Map<String, Object> config) {
    return real.getConsumer(config);
  }

  @Override
  public org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> getRestoreConsumer(
      Map<String, Object> config) {
    return real.getRestoreConsumer(config);
  }

  @Override
  public org.apache.kafka.clients.consumer.Consumer<byte[], byte[]> getGlobalConsumer(
      Map<String, Object> config) {
    return real.getGlobalConsumer(config);
  }
}
