package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.sandbox.Committed;
import dev.oncefold.testkit.Patience;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The cluster throws away a transaction that has waited too long for the end of its checkpoint. No
 * clock is waited for but the broker's, which is asked.
 */
class LostCommitTest {
  private static final int RECORDS = 100;
  // Timeouts of transactions: one that is to pass, but not before all is sent, and one that is not.
  private static final int SHORT = 8000;
  private static final int LONG = 300_000;

  @TempDir Path directory;
  private final String name = "lost";

  private JobID job(int place, Sink<String> sink, @Nullable String from) throws Exception {
    StreamExecutionEnvironment environment = MiniFlink.environment(1, 1_000_000);
    environment.configure(Configuration.fromMap(FlinkFixture.settings(directory)));
    KafkaSource<String> source =
        KafkaSource.<String>builder()
            .setBootstrapServers(Servers.get().bootstrap())
            .setTopics("input-" + place)
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setValueOnlyDeserializer(new SimpleStringSchema())
            .build();
    environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "input")
        .uid("input")
        .sinkTo(sink)
        .uid("sink");
    return MiniFlink.submit(environment, from);
  }

  private static KafkaSink<String> plain(int place, int timeout) throws Exception {
    return KafkaSink.<String>builder()
        .setBootstrapServers(Servers.get().bootstrap())
        .setProperty("transaction.timeout.ms", String.valueOf(timeout))
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionNamingStrategy(TransactionNamingStrategy.INCREMENTING)
        .setTransactionalIdPrefix("lost-" + place)
        .setRecordSerializer(
            KafkaRecordSerializationSchema.<String>builder()
                .setTopic("output-" + place)
                .setValueSerializationSchema(new SimpleStringSchema())
                .build())
        .build();
  }

  private static FoldSink<String> sink(int place, int timeout) throws Exception {
    Properties settings = new Properties();
    settings.setProperty("bootstrap.servers", Servers.get().bootstrap());
    return new FoldSink<>(
        plain(place, timeout),
        new Owner(
            settings, KafkaCluster::new, "lost-" + place, new Owner.Anchor("input-" + place, 0)));
  }

  private static int place() throws Exception {
    int place = Servers.get().place();
    Servers.get().topic("input-" + place, 1);
    Servers.get().topic("output-" + place, 1);
    List<String> records = new ArrayList<>();
    for (int i = 0; i < RECORDS; i++) {
      records.add("r" + i);
    }
    Servers.get().send("input-" + place, 0, records);
    return place;
  }

  /** Waits until the broker has all records, committed or not. */
  private static void awaitSent(int place) throws Exception {
    TopicPartition output = new TopicPartition("output-" + place, 0);
    Patience.await(
        Patience.USUAL,
        () ->
            Committed.ends(Servers.get().bootstrap(), List.of(output)).getOrDefault(output, 0L)
                    < RECORDS
                ? "what the job has not committed yet"
                : null);
  }

  /** Waits until the broker has thrown away the transaction of the sink. */
  private static void awaitAborted(String prefix) throws Exception {
    Patience.await(
        Patience.USUAL,
        () -> {
          for (TransactionListing each : Servers.get().admin.listTransactions().all().get()) {
            if (each.transactionalId().startsWith(prefix)
                && each.state() == TransactionState.COMPLETE_ABORT) {
              return null;
            }
          }
          return "a transaction that is aborted";
        });
  }

  private static int visible(int place) throws Exception {
    List<String> seen = new ArrayList<>();
    try (Servers.Reader reader = Servers.get().reader(List.of("output-" + place))) {
      reader.readOn(record -> seen.add(Servers.text(record.value())));
    }
    return seen.size();
  }

  @Test
  void thePlainSinkLosesAndTheJobIsFinished() throws Exception {
    int place = place();
    JobID job = job(place, plain(place, SHORT), null);
    MiniFlink.awaitRunning(job);
    awaitSent(place);
    awaitAborted(name + "-" + place);
    MiniFlink.checkpoint(job);
    MiniFlink.stop(job, directory.toUri().toString(), SavepointFormatType.CANONICAL);
    assertThat(MiniFlink.status(job)).isEqualTo(JobStatus.FINISHED);
    // What was sent behind the abort is in the next transaction, and is seen: none, mostly.
    assertThat(visible(place)).isLessThan(RECORDS);
  }

  @Test
  void thisSinkFailsTheJobAndDoesSoAgainFromTheSameCheckpoint() throws Exception {
    int place = place();
    JobID job = job(place, sink(place, SHORT), null);
    MiniFlink.awaitRunning(job);
    awaitSent(place); // else what comes later is in the next transaction, and is seen
    awaitAborted(name + "-" + place);
    MiniFlink.checkpoint(job);
    assertThat(lost(MiniFlink.failure(job)))
        .contains("lost-" + place)
        .contains("transaction.timeout.ms");
    assertThat(MiniFlink.status(job)).isEqualTo(JobStatus.FAILED);

    JobID again = job(place, sink(place, SHORT), Kept.last(directory));
    assertThat(lost(MiniFlink.failure(again))).contains("lost-" + place);
  }

  /** As after a kill between a commit and the next checkpoint. */
  @Test
  void whatIsCommittedAlreadyIsNotLost() throws Exception {
    int place = place();
    JobID job = job(place, sink(place, LONG), null);
    awaitSent(place);
    MiniFlink.checkpoint(job);
    Patience.await(
        Patience.USUAL, () -> visible(place) == RECORDS ? null : "what the job has sent");
    MiniFlink.cancel(job);

    JobID again = job(place, sink(place, LONG), Kept.last(directory));
    MiniFlink.awaitRunning(again);
    MiniFlink.stop(again, directory.toUri().toString(), SavepointFormatType.CANONICAL);
    assertThat(visible(place)).isEqualTo(RECORDS);
  }

  private static String lost(@Nullable Throwable failure) {
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof LostCommitException) {
        return String.valueOf(each.getMessage());
      }
    }
    throw new AssertionError("the job failed of something else", failure);
  }
}
