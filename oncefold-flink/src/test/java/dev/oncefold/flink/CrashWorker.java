package dev.oncefold.flink;

import dev.oncefold.testkit.HostedEngine;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/** A process of the crash run: a Flink of its own with the whole job, until it is killed. */
final class CrashWorker implements HostedEngine {
  static final int INTERVAL_MILLIS = 150;
  static final String NAME = "crash";
  static final String INPUT = input(NAME);
  static final String OUTPUTS = outputs(NAME);
  static final String REFUSALS = refusals(NAME);

  /**
   * What a process is told to run.
   *
   * @param bootstrap the broker
   * @param name of the job
   * @param directory for the beacon, the checkpoints and the savepoint of this life
   * @param from where it goes on from; null where it is the first
   * @param parallelism of the job
   * @param unaligned whether checkpoints overtake records
   * @param plain whether the outputs go to Flink's own sink, at least once
   */
  record Life(
      String bootstrap,
      String name,
      Path directory,
      @Nullable String from,
      int parallelism,
      boolean unaligned,
      boolean plain) {
    String[] args() {
      return new String[] {
        bootstrap,
        name,
        directory.toString(),
        from == null ? "" : from,
        String.valueOf(parallelism),
        String.valueOf(unaligned),
        String.valueOf(plain)
      };
    }

    static Life of(List<String> args) {
      return new Life(
          args.get(0),
          args.get(1),
          Path.of(args.get(2)),
          args.get(3).isEmpty() ? null : args.get(3),
          Integer.parseInt(args.get(4)),
          Boolean.parseBoolean(args.get(5)),
          Boolean.parseBoolean(args.get(6)));
    }

    Path beacon() {
      return directory.resolve("beacon");
    }

    Path checkpoints() {
      return directory.resolve("checkpoints");
    }

    Path savepoints() {
      return directory.resolve("savepoints");
    }
  }

  static String input(String name) {
    return name + "-moves";
  }

  static String outputs(String name) {
    return name + "-traces";
  }

  static String refusals(String name) {
    return name + "-refused";
  }

  /** Flink is up before there is anything to run. */
  CrashWorker() throws Exception {
    MiniFlink.cluster();
  }

  @Override
  public void run(List<String> args, Run run) throws Exception {
    Life life = Life.of(args);
    StreamExecutionEnvironment environment =
        MiniFlink.environment(life.parallelism(), life.plain() ? 1000 : INTERVAL_MILLIS);
    environment.configure(Configuration.fromMap(FlinkFixture.settings(life.checkpoints())));
    environment.configure(
        Configuration.fromMap(
            Map.of(
                "restart-strategy.type", "fixed-delay",
                "restart-strategy.fixed-delay.attempts", "1000",
                "restart-strategy.fixed-delay.delay", "100 ms",
                "execution.checkpointing.unaligned.enabled", String.valueOf(life.unaligned()))));
    if (life.plain()) {
      PlainJob.build(environment, life.bootstrap());
    } else {
      build(environment, life);
    }
    JobID job = MiniFlink.submit(environment, life.from());
    run.ready();
    while (!run.over()) {
      if (MiniFlink.status(job).isGloballyTerminalState()) {
        throw new IllegalStateException(MiniFlink.told(MiniFlink.failure(job)));
      }
      LockSupport.parkNanos(10_000_000);
    }
    MiniFlink.stop(job, life.savepoints().toUri().toString(), SavepointFormatType.CANONICAL);
  }

  private static void build(StreamExecutionEnvironment environment, Life life) {
    String beacon = life.beacon().toString();
    FlinkJob.<Trace, TraceModel.Move, String>of(
            life.bootstrap(), life.name(), FlinkFold.of(() -> Moves.fold(beacon)))
        .from(Moves::read, input(life.name()))
        .output(
            TraceModel.OUTPUT,
            outputs(life.name()),
            emitted -> {
              Watched.passes(beacon);
              return Servers.bytes(emitted.value());
            })
        .refusals(refusals(life.name()), entry -> letter(entry.verdict()))
        .with(Map.of("linger.ms", "0", "fetch.max.wait.ms", "10"))
        .asking(Watched.connecting(beacon), 1000)
        .in(environment);
  }

  static byte[] letter(dev.oncefold.Verdict.Kind verdict) {
    return Servers.bytes(String.valueOf(Letters.of(verdict)));
  }
}
