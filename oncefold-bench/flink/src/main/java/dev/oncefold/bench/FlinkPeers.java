package dev.oncefold.bench;

import java.util.Arrays;
import java.util.List;

/**
 * {@code java -jar oncefold-bench-flink.jar rates|visible [name=value ...]}.
 *
 * <p>The fold inside Flink, with ids and without, and the same job by hand, without and with ids of
 * its outputs, in turn: A B C D A B C D. All read the same topic of four partitions with events of
 * 100 bytes, in the same run, on the same broker, each as a job of its own with the same backend
 * and the same interval of checkpoints. A rate is counted from the commit of the outputs of the
 * first third of the events to that of the last ones; what comes before is warm-up. Every event is
 * accepted and has one output, and that each is in the output topic once is checked.
 */
public final class FlinkPeers {
  private FlinkPeers() {}

  /**
   * Runs one benchmark.
   *
   * @param args its name, and settings
   * @throws Exception if anything fails: there is nobody to go on
   */
  public static void main(String[] args) throws Exception {
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
    Settings settings =
        new Settings(Arrays.asList(args).subList(Math.min(1, args.length), args.length));
    switch (args.length == 0 ? "" : args[0]) {
      case "rates" -> rates(settings);
      case "visible" -> FlinkVisible.run(settings);
      default -> {
        System.err.println(
            "usage: rates [events=2000000] [rounds=3] [parallelism=1] [keys=uniform|zipf]"
                + " [backend=hashmap|rocksdb] [interval=1000] [only=NAME] | visible [rate=1000]"
                + " [seconds=30] [interval=1000] [only=NAME]; each takes dir=DIRECTORY");
        System.exit(2);
      }
    }
    System.exit(0); // threads of Flink's may stay
  }

  private static void rates(Settings settings) throws Exception {
    int events = settings.number("events", 2_000_000);
    String keys = settings.text("keys", "uniform");
    try (StreamsRig rig = StreamsRig.start(settings)) {
      rig.fill(() -> StreamsPeers.payments(events, keys));
      System.out.printf(
          "%,d events over %,d keys, %s, %d partitions, parallelism %d, %s, checkpoints every %d"
              + " ms%n",
          events,
          Rig.ACCOUNTS,
          keys,
          StreamsRig.PARTITIONS,
          settings.number("parallelism", 1),
          settings.text("backend", "hashmap"),
          settings.number("interval", 1000));
      Way.inTurn(settings, List.of(Way.values()), way -> measure(rig, way, events, settings));
    }
  }

  private static Way.Measured measure(StreamsRig rig, Way way, int events, Settings settings)
      throws Exception {
    String outputs = "receipts-" + System.nanoTime();
    rig.create(outputs);
    Way.Measured rate;
    try (FlinkPeer peer = FlinkPeer.start(way, rig, outputs, settings)) {
      // Not by the offsets of its group: where no more comes in, Flink commits those some ten
      // seconds late.
      rate = rig.rateOf(peer.application(), outputs, events, peer::check);
      rig.awaitClosed(outputs);
    }
    rig.checkAndDrop(outputs, events);
    return rate;
  }
}
