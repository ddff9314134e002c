package dev.oncefold.bench;

import dev.oncefold.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.CommonContainerStoppingErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;

/**
 * The usual batch listener: Spring Kafka hands over what a poll brought, one JDBC batch adds it,
 * and the offset is committed after it, in Kafka. At least once: what a crash leaves between the
 * two commits is added twice, and so is a re-send.
 *
 * <p>Added up per account first ({@code summed}), a batch has each row once: only then can the
 * driver make one statement of many ({@code reWriteBatchedInserts}).
 */
final class SpringBatch implements Peer {
  private final boolean summed;
  private @Nullable KafkaMessageListenerContainer<byte[], byte[]> container;
  private @Nullable Connection connection;
  private volatile @Nullable Exception failure;

  SpringBatch(boolean summed) {
    this.summed = summed;
  }

  @Override
  public String name() {
    return summed ? "spring batch summed" : "spring batch";
  }

  @Override
  public void start(Rig rig, String topic) throws Exception {
    Connection jdbc = rig.connect(summed ? "&reWriteBatchedInserts=true" : "");
    connection = jdbc;
    jdbc.setAutoCommit(false);
    PreparedStatement upsert = jdbc.prepareStatement(OneByOne.UPSERT);
    ContainerProperties properties = new ContainerProperties(topic);
    properties.setAckMode(ContainerProperties.AckMode.BATCH);
    properties.setMessageListener(
        (BatchMessageListener<byte[], byte[]>) records -> write(jdbc, upsert, records));
    KafkaMessageListenerContainer<byte[], byte[]> started =
        new KafkaMessageListenerContainer<>(
            new DefaultKafkaConsumerFactory<>(rig.consumerProperties(topic + "-" + name(), 4_000)),
            properties);
    started.setCommonErrorHandler(new CommonContainerStoppingErrorHandler());
    started.start();
    container = started;
  }

  private void write(
      Connection jdbc, PreparedStatement upsert, List<ConsumerRecord<byte[], byte[]>> records) {
    try {
      if (summed) {
        TreeMap<String, long[]> sums = new TreeMap<>();
        for (ConsumerRecord<byte[], byte[]> each : records) {
          Event<Workload.Payment> event = Payments.decode(each.value());
          long[] sum = sums.computeIfAbsent(event.key(), key -> new long[2]);
          sum[0] += OneByOne.cents(event.value());
          sum[1]++;
        }
        for (var each : sums.entrySet()) {
          add(upsert, each.getKey(), each.getValue()[0], each.getValue()[1]);
        }
      } else {
        for (ConsumerRecord<byte[], byte[]> each : records) {
          Event<Workload.Payment> event = Payments.decode(each.value());
          add(upsert, event.key(), OneByOne.cents(event.value()), 1);
        }
      }
      upsert.executeBatch();
      jdbc.commit();
    } catch (SQLException e) {
      failure = e;
      throw new IllegalStateException(e);
    }
  }

  private static void add(PreparedStatement upsert, String key, long cents, long payments)
      throws SQLException {
    upsert.setString(1, key);
    upsert.setLong(2, cents);
    upsert.setLong(3, payments);
    upsert.addBatch();
  }

  @Override
  public void check() throws Exception {
    if (failure != null) {
      throw new IllegalStateException(name() + " failed", failure);
    }
  }

  @Override
  public void stop() throws Exception {
    if (container != null) {
      container.stop();
    }
    if (connection != null) {
      connection.close();
    }
    check();
  }
}
