package dev.oncefold.kafkastreams;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/**
 * Clients of an instance that dies or is paused in the midst of its work: nothing it does any more
 * reaches the cluster. As soon as it is dead the cluster is told, so that nobody has to wait for
 * its session and its transaction to time out.
 */
final class Mortal implements KafkaClientSupplier {
  private final KafkaClientSupplier real = new DefaultKafkaClientSupplier();
  private final Set<String> transactions = ConcurrentHashMap.newKeySet();
  private final Object gate = new Object();
  private boolean paused;
  private volatile boolean dead;

  private <T> T mortal(Class<T> type, T client) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) -> {
              if (!method.getName().equals("close")
                  && !method.getName().toLowerCase(Locale.ROOT).contains("metric")) {
                pass();
              }
              try {
                return method.invoke(client, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  private void pass() throws InterruptedException {
    synchronized (gate) {
      while (paused && !dead) {
        gate.wait();
      }
    }
    if (dead) {
      throw new KafkaException("killed");
    }
  }

  void pause() {
    synchronized (gate) {
      paused = true;
    }
  }

  void resume() {
    synchronized (gate) {
      paused = false;
      gate.notifyAll();
    }
  }

  void kill() {
    synchronized (gate) {
      dead = true;
      gate.notifyAll();
    }
  }

  /** Aborts what it left open, as the cluster does after a while. */
  void fence(Admin admin) throws Exception {
    if (!transactions.isEmpty()) {
      admin.fenceProducers(transactions).all().get();
    }
  }

  /** Takes all members out of a group, as the cluster does after a while. */
  static void evict(Admin admin, String group) throws Exception {
    try {
      admin
          .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
          .all()
          .get();
    } catch (java.util.concurrent.ExecutionException e) {
      // There were none, or they were gone.
      if (!(e.getCause() instanceof KafkaException
          || e.getCause() instanceof IllegalArgumentException)) {
        throw e;
      }
    }
  }

  @Override
  public Admin getAdmin(Map<String, Object> config) {
    return real.getAdmin(config);
  }

  @Override
  @SuppressWarnings("unchecked")
  public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
    Object id = config.get("transactional.id");
    if (id != null) {
      transactions.add(id.toString());
    }
    return mortal(Producer.class, real.getProducer(config));
  }

  @Override
  @SuppressWarnings("unchecked")
  public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
    return mortal(Consumer.class, real.getConsumer(config));
  }

  /** It only reads. */
  @Override
  public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
    return real.getRestoreConsumer(config);
  }

  @Override
  public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> config) {
    return real.getGlobalConsumer(config);
  }
}
