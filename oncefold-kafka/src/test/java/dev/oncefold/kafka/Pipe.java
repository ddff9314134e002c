package dev.oncefold.kafka;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Runner;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import dev.oncefold.journal.SinkFeed;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;

/** From a topic into a journal and from there into topics, in a process that is killed. */
final class Pipe {
  /** Sums up, and refuses what is not positive. */
  static final Fold<Long, Long, Long> SUMS =
      Fold.of("sums", Long.class, Long.class, Long.class)
          .initially(0L)
          .rememberingForever()
          .update(
              (sum, event) ->
                  event.value() <= 0
                      ? Outcome.reject("not positive")
                      : Outcome.accept(sum + event.value(), sum + event.value()));

  private Pipe() {}

  /** Runs for ever. */
  public static void main(String[] args) throws InterruptedException {
    String bootstrap = args[0];
    KafkaSource<Long> source =
        KafkaSource.of(
            bootstrap,
            args[1],
            record -> {
              String value = Cluster.text(record.value());
              String[] parts = value.split(" ", 2);
              return new Event<>(
                  parts[0], Cluster.text(record.key()), null, Long.parseLong(parts[1]));
            });
    KafkaSink sink = KafkaSink.of(bootstrap, args[1]).output("outputs", args[2]).refusals(args[3]);
    Options options = Options.defaults().segmentBytes(1 << 16);
    try (Journal<Long, Long, Long> journal = Journal.open(Path.of(args[4]), SUMS, options);
        SinkFeed<Long, Long, Long> feed =
            SinkFeed.start(
                journal,
                "feed",
                sink,
                Map.of("outputs", emitted -> bytes(Long.toString(emitted.value()))),
                entry -> bytes(entry.id() + " " + entry.reason()));
        sink;
        source) {
      new Runner<>(journal, SUMS, List.of(source), Clock.systemUTC()).run();
      throw new IllegalStateException("a topic has no end; the feed: " + feed.trouble());
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
