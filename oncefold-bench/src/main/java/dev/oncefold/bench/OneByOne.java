package dev.oncefold.bench;

import dev.oncefold.Event;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * One transaction per event, with the offset in it: the way to exactly once that needs nothing but
 * a consumer and JDBC.
 */
final class OneByOne extends Peer.Loop {
  /** Adds an event to its row; also how the others that do not fold write it. */
  static final String UPSERT =
      "INSERT INTO "
          + Rig.TABLE
          + " AS t (key, cents, payments) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
          + " cents = t.cents + excluded.cents, payments = t.payments + excluded.payments";

  @Override
  public String name() {
    return "one by one";
  }

  @Override
  public List<String> tables() {
    return List.of(
        "CREATE TABLE offsets (topic text PRIMARY KEY, next bigint NOT NULL) WITH (fillfactor = 50)",
        "INSERT INTO offsets VALUES ('events', 0)");
  }

  static long cents(Workload.Payment payment) {
    return payment.kind().equals("withdraw") ? -payment.cents() : payment.cents();
  }

  @Override
  void run(Rig rig, String topic) throws Exception {
    try (Consumer<byte[], byte[]> consumer = rig.consumer(topic, 500);
        Connection connection = rig.connect("");
        PreparedStatement upsert = connection.prepareStatement(UPSERT);
        PreparedStatement offset = connection.prepareStatement("UPDATE offsets SET next = ?")) {
      connection.setAutoCommit(false);
      while (!stopping()) {
        for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(100))) {
          if (stopping()) {
            return;
          }
          Event<Workload.Payment> event = Payments.decode(each.value());
          upsert.setString(1, event.key());
          upsert.setLong(2, cents(event.value()));
          upsert.setLong(3, 1);
          upsert.executeUpdate();
          offset.setLong(1, each.offset() + 1);
          offset.executeUpdate();
          connection.commit();
        }
      }
    }
  }
}
