package dev.oncefold.postgres;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Runner;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.kafka.KafkaSource;
import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** A worker of the crash run: from a topic into a table, until it is killed. */
final class CrashWorker {
  static final String INPUT = "moves";
  static final String OUTPUTS = "traces";
  static final String REFUSALS = "refused";
  static final String TABLE = "traces";

  private CrashWorker() {}

  static Options<Trace, Move, String> options(String url, boolean shared) {
    return Options.<Trace, Move, String>of(url, TABLE)
        .keys(shared ? Options.Keys.SHARED : Options.Keys.OWNED)
        // Small, so that there are many commits; and rows go from memory and come back.
        .batchSize(64)
        .cachedKeys(500)
        .idle(Duration.ofSeconds(2))
        .longestBackOff(Duration.ofMillis(200));
  }

  static Fold<Trace, Move, String> fold(boolean shared) {
    return shared ? Moves.overSeveralKeys() : Moves.overOneKey();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Event<Move> decode(ConsumerRecord<byte[], byte[]> record) {
    Header id = record.headers().lastHeader(Feed.ID);
    Move move = Move.parse(new String(record.value(), StandardCharsets.UTF_8));
    return new Event<>(
        new String(id.value(), StandardCharsets.UTF_8),
        new String(record.key(), StandardCharsets.UTF_8),
        null,
        move);
  }

  /**
   * Works until it is killed.
   *
   * @param args the broker, the URL of the database, the file of its beacon, whether keys are
   *     shared, and properties of the consumer with their values
   */
  public static void main(String[] args) throws Exception {
    String bootstrap = args[0];
    boolean shared = Boolean.parseBoolean(args[3]);
    Beacon beacon = Beacon.at(Path.of(args[2]));
    KafkaSource<Move> source = KafkaSource.of(bootstrap, INPUT, CrashWorker::decode).group("crash");
    for (int i = 4; i < args.length; i += 2) {
      source = source.with(args[i], args[i + 1]);
    }
    Fold<Trace, Move, String> fold = fold(shared);
    try (KafkaSink sink =
            KafkaSink.of(bootstrap, "crash").output(TraceModel.OUTPUT, OUTPUTS).refusals(REFUSALS);
        KafkaSource<Move> reading = source;
        PostgresStore<Trace, Move, String> store =
            PostgresStore.open(
                options(args[1], shared)
                    .sink(sink)
                    .output(TraceModel.OUTPUT, emitted -> bytes(emitted.value()))
                    .refusals(entry -> bytes(String.valueOf(Letters.of(entry.verdict())))),
                fold,
                new Watched(beacon))) {
      new Runner<>(store, fold, List.of(reading), Clock.systemUTC()).run();
    }
  }
}
