package dev.oncefold.postgres;

import dev.oncefold.FailedEventException;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.kafka.KafkaSource;
import dev.oncefold.testkit.Fields;
import dev.oncefold.testkit.Move;
import dev.oncefold.testkit.Receipt;
import dev.oncefold.testkit.Setup;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The process of {@link KafkaPostgresFixture}. */
final class KafkaPostgresEngine {
  static final int STOPPED = 3;
  static final String READY = "ready";

  private KafkaPostgresEngine() {}

  static Options<Trace, Move, Receipt> options(String url, Servers.Place place) {
    // The suite's keys turn up in both partitions.
    return Options.<Trace, Move, Receipt>of(url, place.table())
        .schema(place.schema())
        .keys(Options.Keys.SHARED);
  }

  /**
   * Works until it is killed, or stops for an event that Failed.
   *
   * @param args the broker, the URL of the database, the number of the place, the setup, and the
   *     file that tells how it goes
   */
  public static void main(String[] args) throws Exception {
    Path log = Path.of(args[4]);
    try {
      run(args[0], args[1], new Servers.Place(Integer.parseInt(args[2])), Setup.of(args[3]), log);
    } catch (FailedEventException e) {
      Files.writeString(log, String.valueOf(e.getMessage()));
      System.exit(STOPPED);
    } catch (RuntimeException e) {
      Files.writeString(log, String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private static void run(String bootstrap, String url, Servers.Place place, Setup setup, Path log)
      throws Exception {
    Fold<Trace, Move, Receipt> fold = setup.fold();
    KafkaSink sink = KafkaSink.of(bootstrap, "sink-" + place.number());
    Options<Trace, Move, Receipt> options = options(url, place);
    for (String output : setup.outputs()) {
      sink = sink.output(output, place.output(output));
      options = options.output(output, KafkaPostgresEngine::bytes);
    }
    sink = sink.refusals(place.refusals());
    options = options.refusals(KafkaPostgresEngine::bytes);
    if (setup.acceptChange()) {
      options = options.acceptingChange();
    }
    try (KafkaSink open = sink;
        PostgresStore<Trace, Move, Receipt> store = PostgresStore.open(options.sink(open), fold);
        KafkaSource<Move> source =
            KafkaSource.of(bootstrap, place.input(), record -> setup.decode(text(record)))) {
      Runner<Trace, Move, Receipt> runner =
          new Runner<>(store, fold, List.of(source), Clock.systemUTC());
      Files.writeString(log, READY);
      while (true) {
        runner.step(Duration.ofMillis(20));
      }
    }
  }

  private static String text(ConsumerRecord<byte[], byte[]> record) {
    return new String(record.value(), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(Emitted<Receipt> output) {
    Receipt receipt = output.value();
    return Fields.join(receipt.key(), receipt.count(), receipt.sum(), receipt.memo())
        .getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] bytes(Entry<Trace, Move, Receipt> refusal) {
    String key = refusal.key();
    String reason = refusal.reason();
    return Fields.join(refusal.verdict(), key == null ? "" : key, reason == null ? "" : reason)
        .getBytes(StandardCharsets.UTF_8);
  }
}
