package dev.oncefold.cli;

import dev.oncefold.sandbox.Committed;
import dev.oncefold.sandbox.KafkaBroker;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The topics of one test.
 *
 * @param broker where they are
 * @param test what their names begin with
 */
record OwnTopics(KafkaBroker broker, String test) {
  /** A topic, as a pipeline has it. */
  String topic(String name) {
    return "{ kafka: { bootstrap: \""
        + broker.bootstrap()
        + "\", topic: "
        + test
        + "-"
        + name
        + " } }";
  }

  void make(String... names) throws ExecutionException, InterruptedException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              Stream.of(names).map(n -> new NewTopic(test + "-" + n, 2, (short) 1)).toList())
          .all()
          .get();
    }
  }

  void set(String topic, String name, String value)
      throws ExecutionException, InterruptedException {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, test + "-" + topic);
    AlterConfigOp set = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
    }
  }

  /** Sends payments, each under its account. */
  void send(List<String> payments) throws ExecutionException, InterruptedException {
    try (Producer<String, byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new StringSerializer(),
            new ByteArraySerializer())) {
      for (String payment : payments) {
        String account = payment.replaceAll(".*\"account\":\"([^\"]*)\".*", "$1");
        producer
            .send(
                new ProducerRecord<>(
                    test + "-payments", account, payment.getBytes(StandardCharsets.UTF_8)))
            .get();
      }
    }
  }

  /** The values that are committed. */
  List<String> read(String name) {
    List<String> values = new ArrayList<>();
    Committed.read(
        broker.bootstrap(),
        List.of(test + "-" + name),
        each -> values.add(new String(each.value(), StandardCharsets.UTF_8)));
    return values;
  }
}
