package dev.oncefold.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.kafkastreams.StreamsApplication;
import dev.oncefold.kafkastreams.StreamsFold;
import dev.oncefold.kafkastreams.StreamsRun;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Orders in many currencies to orders in euro: from a topic, through a function, to a topic. No
 * state is kept but the ids of seven days, by which an order that is sent again is recognised.
 */
public final class Convert {
  record Order(String currency, long cents) {}

  record InEuro(String order, long cents) {}

  private static final Map<String, Double> RATES = Map.of("EUR", 1.0, "CZK", 0.04, "USD", 0.9);

  private static final Fold<String, Order, InEuro> IN_EURO =
      Fold.of("in-euro", String.class, Order.class, InEuro.class)
          .version(1) // another table of rates is another version
          .initially("")
          .remembering(Duration.ofDays(7))
          .update((none, order) -> convert(order));

  private Convert() {}

  private static Outcome<String, InEuro> convert(Event<Order> order) {
    Double rate = RATES.get(order.value().currency());
    if (rate == null) {
      return Outcome.reject("no rate for " + order.value().currency());
    }
    long cents = Math.round(order.value().cents() * rate);
    // A state of null is none: nothing is stored of the customer.
    return Outcome.accept(null, new InEuro(String.valueOf(order.id()), cents));
  }

  /** The key of a record is the customer, its value {@code id,time,currency,cents}. */
  private static Event<Order> read(ConsumerRecord<byte[], byte[]> record) {
    String[] fields = new String(record.value(), UTF_8).split(",", -1);
    Order order = new Order(fields[2], Long.parseLong(fields[3]));
    return new Event<>(fields[0], new String(record.key(), UTF_8), Instant.parse(fields[1]), order);
  }

  private static StreamsRun<String> start(Topics topics) {
    return StreamsApplication.of(topics.bootstrap(), "convert", StreamsFold.of(IN_EURO))
        .from(Convert::read, "orders")
        .output(
            Output.DEFAULT,
            "euros",
            each -> (each.value().order() + "," + each.value().cents()).getBytes(UTF_8))
        .refusals("refused", each -> (each.id() + "," + each.reason()).getBytes(UTF_8))
        .with(Map.of("state.dir", topics.directory("state")))
        .start();
  }

  /**
   * Sends orders, one in ten twice, converts them in two runs, and reads what came out.
   *
   * @param args none
   * @throws Exception if anything fails
   */
  public static void main(String[] args) throws Exception {
    run(System.out);
  }

  static void run(PrintStream out) throws Exception {
    try (Topics topics = Topics.create("orders", "euros", "refused")) {
      List<ProducerRecord<String, String>> orders = orders();
      topics.send(orders);
      // The first run ends somewhere in the middle, and the second goes on from there.
      for (int until : List.of(orders.size() / 2, orders.size())) {
        try (StreamsRun<String> run = start(topics)) {
          out.println(Topics.await(run, until));
        }
      }
      Set<String> converted = new HashSet<>();
      List<String> euros = topics.read("euros");
      euros.forEach(message -> converted.add(message.substring(0, message.indexOf(','))));
      out.printf(
          "%,d records in. Out are %,d messages of %,d orders; %,d are refused%n",
          orders.size(), euros.size(), converted.size(), topics.read("refused").size());
    }
  }

  private static List<ProducerRecord<String, String>> orders() {
    List<String> currencies = List.of("CZK", "EUR", "USD", "CZK", "EUR", "USD", "???");
    List<ProducerRecord<String, String>> orders = new ArrayList<>();
    for (int i = 0; i < 7_000; i++) {
      Instant time = Instant.parse("2026-01-01T00:00:00Z").plusSeconds(i);
      String order = "order-%d,%s,%s,%d".formatted(i, time, currencies.get(i % 7), 100 + i);
      for (int send = 0; send < (i % 10 == 0 ? 2 : 1); send++) {
        orders.add(new ProducerRecord<>("orders", "customer-" + i % 500, order));
      }
    }
    return orders;
  }
}
