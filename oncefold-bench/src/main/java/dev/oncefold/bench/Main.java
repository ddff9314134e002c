package dev.oncefold.bench;

import java.util.Arrays;

/**
 * {@code java -jar oncefold-bench.jar throughput|latency|recovery|memory|pipeline|checker|
 * peers|streams|streams-restart|visible [name=value ...]}.
 */
public final class Main {
  private Main() {}

  /**
   * Runs one benchmark.
   *
   * @param args its name, and settings
   * @throws Exception if anything fails: there is nobody to go on
   */
  public static void main(String[] args) throws Exception {
    Settings settings =
        new Settings(Arrays.asList(args).subList(Math.min(1, args.length), args.length));
    switch (args.length == 0 ? "" : args[0]) {
      case "throughput" -> Throughput.run(settings);
      case "latency" -> Latency.run(settings);
      case "recovery" -> RecoveryTime.run(settings);
      case "recovery-fill" -> RecoveryTime.fill(settings);
      case "memory" -> Footprint.run(settings);
      case "pipeline" -> PipelineFile.run(settings);
      case "pipeline-once" -> PipelineFile.once(settings);
      case "pipeline-memory" -> PipelineFile.memory(settings);
      case "checker" -> CheckerTime.run(settings);
      case "peers" -> Peers.run(settings);
      case "streams" -> StreamsPeers.run(settings);
      case "streams-restart" -> StreamsRestart.run(settings);
      case "streams-restart-fill" -> StreamsRestart.fill(settings);
      case "inserts" -> IdInserts.run(settings);
      case "visible" -> Visible.run(settings);
      default -> {
        System.err.println(
            "usage: throughput [events=1000000] [rounds=5] | latency [rate=1000] [seconds=20] |"
                + " recovery [keys=1000000] | memory [keys=1000000] | pipeline [events=1000000]"
                + " [rounds=5] | pipeline-memory [events=1000000] | checker [events=1000000] |"
                + " peers [events=1500000] [rounds=3] [batch=4000] [only=NAME] [against=NAME]"
                + " [connect=DIRECTORY] | streams [events=2000000] [rounds=3] [threads=1]"
                + " [warmup=0] [keys=uniform|zipf] [only=NAME] [against=NAME] | streams-restart [keys=1000000]"
                + " [only=NAME] | inserts [rounds=5] | visible [rate=1000] [seconds=30]"
                + " [only=NAME]; each takes dir=DIRECTORY");
        System.exit(2);
      }
    }
  }
}
