package dev.oncefold.bench;

import dev.oncefold.Fold;
import dev.oncefold.Output;
import dev.oncefold.Runner;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.kafka.KafkaSource;
import dev.oncefold.postgres.Options;
import dev.oncefold.postgres.PostgresStore;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * This project's: ids remembered, and with {@code outputs} one output an event, by the outbox into
 * a topic, while it is measured.
 */
final class OncefoldPeer extends Peer.Loop {
  private final boolean outputs;
  private final int batch;
  private volatile @Nullable Runner<Workload.Account, Workload.Payment, Workload.Receipt> runner;

  OncefoldPeer(boolean outputs, int batch) {
    this.outputs = outputs;
    this.batch = batch;
  }

  @Override
  public String name() {
    return outputs ? "oncefold" : "oncefold ids only";
  }

  @Override
  public List<String> tables() {
    return List.of("ALTER TABLE " + Rig.TABLE + " ADD oncefold_version bigint NOT NULL DEFAULT 1");
  }

  @Override
  public String leaving() {
    return outputs ? "SELECT count(*) FROM oncefold.outbox" : "";
  }

  @Override
  void run(Rig rig, String topic) throws Exception {
    Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold = Workload.fold();
    String unique = "bench-" + System.nanoTime();
    Options<Workload.Account, Workload.Payment, Workload.Receipt> options =
        Options.<Workload.Account, Workload.Payment, Workload.Receipt>of(
                rig.database().jdbcUrl("postgres"), Rig.TABLE)
            .batchSize(batch);
    if (outputs) {
      rig.create(unique);
    }
    try (KafkaSink sink = KafkaSink.of(rig.bootstrap(), unique).output(Output.DEFAULT, unique);
        PostgresStore<Workload.Account, Workload.Payment, Workload.Receipt> store =
            PostgresStore.open(
                outputs
                    ? options.sink(sink).output(Output.DEFAULT, each -> receipt(each.value()))
                    : options,
                fold);
        KafkaSource<Workload.Payment> source =
            KafkaSource.<Workload.Payment>of(
                    rig.bootstrap(), topic, record -> Payments.decode(record.value()))
                .group(unique)) {
      Runner<Workload.Account, Workload.Payment, Workload.Receipt> running =
          new Runner<>(store, fold, List.of(source), Clock.systemUTC());
      runner = running;
      if (!stopping()) {
        running.run();
      }
    }
  }

  private static byte[] receipt(Workload.Receipt receipt) {
    return ("{\"account\":\"" + receipt.account() + "\",\"cents\":" + receipt.cents() + "}")
        .getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void stop() throws Exception {
    Runner<Workload.Account, Workload.Payment, Workload.Receipt> running = runner;
    if (running != null) {
      running.stop();
    }
    super.stop();
  }
}
