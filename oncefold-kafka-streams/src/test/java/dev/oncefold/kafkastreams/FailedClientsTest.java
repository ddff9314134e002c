package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.testkit.Patience;
import dev.oncefold.verify.TraceModel.Trace;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsResult;
import org.apache.kafka.clients.admin.internals.CoordinatorKey;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;
import org.apache.kafka.streams.processor.internals.StreamsPartitionAssignor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What applications do when Kafka's clients fail them in ways that are rare. */
class FailedClientsTest extends OnBroker {
  private static volatile CountDownLatch rebalancing = new CountDownLatch(0);

  /** Notes that its thread is in a rebalance: until that is over, nothing is committed. */
  public static final class Watched extends StreamsPartitionAssignor {
    @Override
    public ByteBuffer subscriptionUserData(Set<String> topics) {
      ByteBuffer data = super.subscriptionUserData(topics);
      if (Thread.currentThread().getName().contains("watched")) {
        rebalancing.countDown();
      }
      return data;
    }
  }

  /** Clients that fail, or wait, where a test wants it. */
  private static final class Failing extends DefaultKafkaClientSupplier {
    /** The values sent as outputs. */
    final List<String> sent = new CopyOnWriteArrayList<>();

    /** How many outputs are still not to reach the cluster. */
    final AtomicInteger timeouts = new AtomicInteger();

    final CountDownLatch aborted = new CountDownLatch(1);

    /** What the next poll throws. */
    volatile @Nullable RuntimeException lost;

    /** What each poll waits for. */
    volatile CountDownLatch gate = new CountDownLatch(0);

    volatile CountDownLatch waiting = new CountDownLatch(1);

    /** How often it was asked how far a group has come; null where that is answered as it comes. */
    @Nullable AtomicInteger lateOffsets;

    @Override
    @SuppressWarnings("unchecked")
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
      Producer<byte[], byte[]> real = super.getProducer(config);
      return (Producer<byte[], byte[]>)
          Proxy.newProxyInstance(
              Producer.class.getClassLoader(),
              new Class<?>[] {Producer.class},
              (proxy, method, args) -> {
                if (method.getName().equals("send")) {
                  ProducerRecord<byte[], byte[]> record = (ProducerRecord<byte[], byte[]>) args[0];
                  if (record.topic().startsWith("output")) {
                    sent.add(new String(record.value(), StandardCharsets.UTF_8));
                    if (timeouts.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                      TimeoutException late = new TimeoutException("made by hand");
                      ((Callback) args[1]).onCompletion(null, late);
                      return CompletableFuture.failedFuture(late);
                    }
                  }
                }
                try {
                  return method.invoke(real, args);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                } finally {
                  if (method.getName().equals("abortTransaction")) {
                    aborted.countDown();
                  }
                }
              });
    }

    @Override
    public Admin getAdmin(Map<String, Object> config) {
      Admin real = super.getAdmin(config);
      return lateOffsets == null ? real : late(real, lateOffsets);
    }

    @Override
    @SuppressWarnings("unchecked")
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
      Map<String, Object> all = new HashMap<>(config);
      all.put("partition.assignment.strategy", Watched.class.getName());
      Consumer<byte[], byte[]> real = super.getConsumer(all);
      return (Consumer<byte[], byte[]>)
          Proxy.newProxyInstance(
              Consumer.class.getClassLoader(),
              new Class<?>[] {Consumer.class},
              (proxy, method, args) -> {
                if (method.getName().equals("poll")) {
                  RuntimeException thrown = lost;
                  if (thrown != null) {
                    lost = null;
                    throw thrown;
                  }
                  CountDownLatch closed = gate;
                  if (closed.getCount() > 0) {
                    waiting.countDown();
                    closed.await();
                  }
                }
                try {
                  return method.invoke(real, args);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }
  }

  /** A client whose first question for the offsets of a group is not answered in time. */
  private static Admin late(Admin real, AtomicInteger asked) {
    return (Admin)
        Proxy.newProxyInstance(
            Admin.class.getClassLoader(),
            new Class<?>[] {Admin.class},
            (proxy, method, args) -> {
              if (method.getName().equals("listConsumerGroupOffsets")
                  && asked.getAndIncrement() == 0) {
                KafkaFutureImpl<Map<TopicPartition, OffsetAndMetadata>> never =
                    new KafkaFutureImpl<>();
                never.completeExceptionally(new TimeoutException("made by hand"));
                var result = ListConsumerGroupOffsetsResult.class.getDeclaredConstructor(Map.class);
                result.setAccessible(true);
                return result.newInstance(Map.of(CoordinatorKey.byGroupId("any"), never));
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private StreamsRun<Trace> start(String instance, Failing clients) {
    return application(
            fold(),
            Map.of(
                "state.dir",
                directory.resolve("state-" + instance).toString(),
                "client.id",
                instance))
        .start(clients);
  }

  private static List<Integer> partitions(StreamsRun<Trace> run) {
    return run.streams().metadataForLocalThreads().stream()
        .flatMap(thread -> thread.activeTasks().stream())
        .map(task -> task.taskId().partition())
        .sorted()
        .toList();
  }

  private static void await(CountDownLatch latch, String what) throws InterruptedException {
    assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as(what).isTrue();
  }

  private void event(int partition, int number) throws Exception {
    send(partition, "key" + partition, number).get();
  }

  /**
   * While its group rebalances Kafka Streams commits nothing. A task that begins anew then aborts
   * the transaction of its thread, and the other tasks would go on as if what they have sent stood
   * there.
   */
  @Test
  void whatATaskTakesBackWhileTheGroupRebalancesTheOthersOfItsThreadDoAgain() throws Exception {
    place = servers.place();
    servers.topic(place.input(), 4);
    servers.topic(place.output("traces"), 1);
    Failing clients = new Failing();
    Failing slow = new Failing();
    try (StreamsRun<Trace> watched = start("watched", clients);
        StreamsRun<Trace> other = start("other", slow)) {
      Patience.await(
          PATIENCE,
          () ->
              partitions(watched).size() == 2 && partitions(other).size() == 2
                  ? null
                  : "two tasks each");
      for (int partition = 0; partition < 4; partition++) {
        event(partition, partition);
      }
      await(watched, 2);
      await(other, 2);

      slow.gate = new CountDownLatch(1);
      await(slow.waiting, "an instance that does not join");
      rebalancing = new CountDownLatch(1);
      try (StreamsRun<Trace> third = start("third", new Failing())) {
        await(rebalancing, "a rebalance");
        int one = partitions(watched).get(0);
        int two = partitions(watched).get(1);
        int before = clients.sent.size();
        event(one, 10);
        Patience.await(
            PATIENCE, () -> clients.sent.size() > before ? null : "the output of an event");
        clients.timeouts.set(1);
        event(two, 11);
        Patience.await(PATIENCE, () -> clients.timeouts.get() == 0 ? null : "a lost output");
        event(two, 12);
        await(clients.aborted, "the end of the transaction");
        slow.gate.countDown();
        Patience.await(
            PATIENCE,
            () -> {
              long now =
                  watched.counts().events() + other.counts().events() + third.counts().events();
              return now == 7 ? null : "one of 7 events: " + now;
            });
        assertThat(watched.failure()).isNull();
        assertThat(outputs()).hasSize(7).doesNotHaveDuplicates();
        assertThat(version(view().slots().get("key" + one))).isEqualTo(2);
        assertThat(version(view().slots().get("key" + two))).isEqualTo(3);
      }
    }
  }

  /** As Kafka's consumer does where the group's protocol is {@code streams}. */
  @Test
  void aThreadWhoseConsumerHasLostItsSubscriptionIsReplaced() throws Exception {
    Failing clients = new Failing();
    try (StreamsRun<Trace> run = start("alone", clients)) {
      feed(0, 5);
      await(run, 5);
      clients.lost =
          new IllegalStateException(
              "Consumer is not subscribed to any topics or assigned any partitions");
      Patience.await(PATIENCE, () -> clients.lost == null ? null : "a poll");
      feed(5, 5);
      await(run, 10);
    }
    assertThat(outputs()).hasSize(10).doesNotHaveDuplicates();
  }

  /** A broker that stands still is asked by Kafka's client until its patience is over. */
  @Test
  void anInstanceThatIsNotToldInTimeWhereToBeginAsksAgain() throws Exception {
    Failing clients = new Failing();
    AtomicInteger asked = new AtomicInteger();
    clients.lateOffsets = asked;
    try (StreamsRun<Trace> run = start("patient", clients)) {
      feed(0, 5);
      await(run, 5);
    }
    assertThat(asked).hasValueGreaterThan(1);
    assertThat(outputs()).hasSize(5).doesNotHaveDuplicates();
  }
}
