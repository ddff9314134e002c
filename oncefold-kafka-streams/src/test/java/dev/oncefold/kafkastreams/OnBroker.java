package dev.oncefold.kafkastreams;

import dev.oncefold.Slot;
import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.Patience;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Whole applications on a real broker, each test with topics of its own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // classes run side by side
abstract class OnBroker {
  static final Duration PATIENCE = Duration.ofSeconds(60);

  Path directory;
  Servers servers;
  Servers.Place place;

  @BeforeAll
  void start(@TempDir Path shared) throws Exception {
    directory = shared;
    servers = new Servers(shared);
  }

  @AfterAll
  void stop() throws Exception {
    if (servers != null) {
      servers.close();
    }
  }

  @BeforeEach
  void place() throws Exception {
    place = servers.place();
    servers.topic(place.input(), 1);
    servers.topic(place.output("traces"), 1);
  }

  final StreamsFold<Trace, Move, String> fold() {
    return StreamsFold.of(Moves.withoutIds()).partitionedByKey();
  }

  final StreamsApplication<Trace, Move, String> application(
      StreamsFold<Trace, Move, String> fold, Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(servers.hurried());
    settings.putAll(more);
    return StreamsApplication.of(servers.bootstrap(), place.application(), fold)
        .from(Moves::read, place.input())
        .output(
            TraceModel.OUTPUT,
            place.output("traces"),
            emitted -> emitted.value().getBytes(StandardCharsets.UTF_8))
        .with(settings);
  }

  final void feed(int from, int count) throws ExecutionException, InterruptedException {
    Future<RecordMetadata> last = null;
    for (int i = from; i < from + count; i++) {
      last = send(0, "hot", i);
    }
    if (last != null) {
      last.get();
    }
  }

  final Future<RecordMetadata> send(int partition, String key, int number) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(
            place.input(),
            partition,
            key.getBytes(StandardCharsets.UTF_8),
            new Move(number, List.of(key), List.of(1L)).text().getBytes(StandardCharsets.UTF_8));
    record.headers().add(Moves.ID, ("e" + number).getBytes(StandardCharsets.UTF_8));
    return servers.producer.send(record);
  }

  final void await(StreamsRun<Trace> run, long events) throws Exception {
    Patience.await(
        PATIENCE,
        () -> {
          if (run.failure() != null) {
            throw new IllegalStateException(run.failure());
          }
          long now = run.counts().events();
          return now >= events ? null : (events - now) + " events";
        });
  }

  final StreamsView<Trace> view() {
    Committed.awaitMarks(servers.bootstrap());
    return StreamsView.read(
        Map.of("bootstrap.servers", servers.bootstrap()), place.application(), fold());
  }

  static long version(@Nullable Slot<Trace> slot) {
    return slot == null ? 0 : slot.version();
  }

  final List<String> outputs() {
    List<String> values = new ArrayList<>();
    Committed.read(
        servers.bootstrap(),
        List.of(place.output("traces")),
        each -> values.add(new String(each.value(), StandardCharsets.UTF_8)));
    return values;
  }
}
