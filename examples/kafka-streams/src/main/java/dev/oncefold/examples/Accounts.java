package dev.oncefold.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.Slot;
import dev.oncefold.kafkastreams.StreamsApplication;
import dev.oncefold.kafkastreams.StreamsFold;
import dev.oncefold.kafkastreams.StreamsRun;
import dev.oncefold.kafkastreams.StreamsView;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Payments to accounts that cannot be overdrawn: a topic in, state, receipts and refusals out. */
public final class Accounts {
  /** A payment into the account, or where it is negative out of it. */
  record Payment(long cents) {}

  record Account(long cents, long payments) {}

  record Receipt(String account, long cents) {}

  // Senders choose the partition by the account, so there is no need of another topic for that.
  private static final StreamsFold<Account, Payment, Receipt> ACCOUNTS =
      StreamsFold.of(
              Fold.of("accounts", Account.class, Payment.class, Receipt.class)
                  .initially(new Account(0, 0))
                  .remembering(Duration.ofDays(7))
                  .update(Accounts::pay))
          .partitionedByKey();

  private Accounts() {}

  private static Outcome<Account, Receipt> pay(Account account, Event<Payment> payment) {
    long cents = account.cents() + payment.value().cents();
    return cents < 0
        ? Outcome.reject("insufficient funds")
        : Outcome.accept(
            new Account(cents, account.payments() + 1), new Receipt(payment.key(), cents));
  }

  /** The key of a record is the account, its value {@code id,time,cents}. */
  private static Event<Payment> read(ConsumerRecord<byte[], byte[]> record) {
    String[] fields = new String(record.value(), UTF_8).split(",", -1);
    Payment payment = new Payment(Long.parseLong(fields[2]));
    return new Event<>(
        fields[0], new String(record.key(), UTF_8), Instant.parse(fields[1]), payment);
  }

  private static StreamsRun<Account> start(Topics topics) {
    return StreamsApplication.of(topics.bootstrap(), "accounts", ACCOUNTS)
        .from(Accounts::read, "payments")
        .output(
            Output.DEFAULT,
            "receipts",
            each -> (each.value().account() + "," + each.value().cents()).getBytes(UTF_8))
        .refusals("refused", each -> (each.id() + "," + each.reason()).getBytes(UTF_8))
        .with(Map.of("state.dir", topics.directory("state")))
        .start();
  }

  /**
   * Sends payments, one in ten twice, applies them in two runs, and shows what the accounts hold.
   *
   * @param args none
   * @throws Exception if anything fails
   */
  public static void main(String[] args) throws Exception {
    run(System.out);
  }

  static void run(PrintStream out) throws Exception {
    try (Topics topics = Topics.create("payments", "receipts", "refused")) {
      List<ProducerRecord<String, String>> payments = payments();
      topics.send(payments);
      // The first run ends somewhere in the middle, and the second goes on from there.
      for (int until : List.of(payments.size() / 2, payments.size())) {
        try (StreamsRun<Account> run = start(topics)) {
          out.println(Topics.await(run, until));
        }
      }
      // What is committed can be read from anywhere, whether the application runs or not.
      Map<String, Object> cluster = Map.of("bootstrap.servers", topics.bootstrap());
      Map<String, Slot<Account>> slots = StreamsView.read(cluster, "accounts", ACCOUNTS).slots();
      new TreeMap<>(slots).forEach((account, slot) -> out.println(account + " " + slot.state()));
      out.printf(
          "%,d records in. Out are %,d receipts; %,d payments are refused%n",
          payments.size(), topics.read("receipts").size(), topics.read("refused").size());
    }
  }

  private static List<ProducerRecord<String, String>> payments() {
    List<String> accounts = List.of("alice", "bob", "carol", "dave", "erin", "frank");
    List<ProducerRecord<String, String>> payments = new ArrayList<>();
    for (int i = 0; i < 6_000; i++) {
      Instant time = Instant.parse("2026-01-01T00:00:00Z").plusSeconds(i);
      // Every other goes out, and one in a thousand, and some of the first, want more than there
      // is.
      long cents = i % 1000 == 999 ? -1_000_000_000 : i % 2 == 0 ? 200 : -100;
      for (int send = 0; send < (i % 10 == 0 ? 2 : 1); send++) {
        payments.add(
            new ProducerRecord<>(
                "payments",
                accounts.get(i * 7 / 3 % accounts.size()),
                "payment-%d,%s,%d".formatted(i, time, cents)));
      }
    }
    return payments;
  }
}
