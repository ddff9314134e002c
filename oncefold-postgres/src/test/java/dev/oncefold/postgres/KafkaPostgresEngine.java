package dev.oncefold.postgres;

import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.kafka.KafkaSource;
import dev.oncefold.testkit.Fields;
import dev.oncefold.testkit.HostedEngine;
import dev.oncefold.testkit.Move;
import dev.oncefold.testkit.Receipt;
import dev.oncefold.testkit.Setup;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** The process of {@link KafkaPostgresFixture}. */
final class KafkaPostgresEngine implements HostedEngine {
  static Options<Trace, Move, Receipt> options(String url, Servers.Place place) {
    // The suite's keys turn up in both partitions.
    return Options.<Trace, Move, Receipt>of(url, place.table())
        .schema(place.schema())
        .keys(Options.Keys.SHARED);
  }

  /**
   * Works until it is killed or over, or stops for an event that Failed.
   *
   * @param args the broker, the URL of the database, the number of the place, and the setup
   */
  @Override
  public void run(List<String> args, Run run) throws Exception {
    Servers.Place place = new Servers.Place(Integer.parseInt(args.get(2)));
    Setup setup = Setup.of(args.get(3));
    Fold<Trace, Move, Receipt> fold = setup.fold();
    try (KafkaSink sink = sink(args.get(0), place, setup);
        PostgresStore<Trace, Move, Receipt> store =
            PostgresStore.open(options(args.get(1), place, setup).sink(sink), fold);
        KafkaSource<Move> source = source(args.get(0), place, setup)) {
      Runner<Trace, Move, Receipt> runner =
          new Runner<>(store, fold, List.of(source), Clock.systemUTC());
      run.ready();
      while (!run.over()) {
        runner.step(Duration.ofMillis(20));
      }
    }
  }

  private static KafkaSink sink(String bootstrap, Servers.Place place, Setup setup) {
    KafkaSink sink = KafkaSink.of(bootstrap, "sink-" + place.number());
    for (String output : setup.outputs()) {
      sink = sink.output(output, place.output(output));
    }
    return sink.refusals(place.refusals());
  }

  private static Options<Trace, Move, Receipt> options(
      String url, Servers.Place place, Setup setup) {
    Options<Trace, Move, Receipt> options = options(url, place);
    for (String output : setup.outputs()) {
      options = options.output(output, KafkaPostgresEngine::bytes);
    }
    options = options.refusals(KafkaPostgresEngine::bytes);
    return setup.acceptChange() ? options.acceptingChange() : options;
  }

  private static KafkaSource<Move> source(String bootstrap, Servers.Place place, Setup setup) {
    return KafkaSource.of(bootstrap, place.input(), record -> setup.decode(text(record)));
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
