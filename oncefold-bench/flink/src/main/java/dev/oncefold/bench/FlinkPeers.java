package dev.oncefold.bench;

import java.util.Arrays;

/**
 * {@code java -jar oncefold-bench-flink.jar rates|visible [name=value ...]}.
 *
 * <p>The fold inside Flink, with ids and without, and the same job by hand, in turn: A B C A B C.
 * All read the same topic of four partitions with events of 100 bytes, in the same run, on the same
 * broker, each as a job of its own with the same backend and the same interval of checkpoints. A
 * rate is counted from the checkpoint that covers the first third of the events to the last one;
 * what comes before is warm-up. Every event is accepted and has one output, and that each is in the
 * output topic once is checked.
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
    int rounds = settings.number("rounds", 3);
    int events = settings.number("events", 2_000_000);
    String keys = settings.text("keys", "uniform");
    String only = settings.text("only", "");
    Rates rates = new Rates(rounds);
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
      for (int round = 0; round < rounds; round++) {
        for (FlinkPeer.Kind kind : FlinkPeer.Kind.values()) {
          if (kind.name.contains(only)) {
            rates.add(round, kind.name, measure(rig, kind, events, settings));
            System.gc();
          }
        }
      }
    }
    rates.printMedians();
    rates.printRatios(FlinkPeer.Kind.IDS.name);
    rates.printRatios(FlinkPeer.Kind.NO_IDS.name);
  }

  private static double measure(StreamsRig rig, FlinkPeer.Kind kind, int events, Settings settings)
      throws Exception {
    String outputs = "receipts-" + System.nanoTime();
    rig.create(outputs);
    double rate;
    try (FlinkPeer peer = FlinkPeer.start(kind, rig, outputs, settings)) {
      long first = rig.await(peer.application(), events / 3, peer::check);
      CpuTime before = CpuTime.now();
      long begin = System.nanoTime();
      long last = rig.await(peer.application(), events, peer::check);
      double seconds = (System.nanoTime() - begin) / 1e9;
      String cpu = CpuTime.now().since(before, last - first);
      if (last <= first) {
        throw new IllegalStateException(
            kind.name + " was through before it was looked at: give it more events");
      }
      System.out.printf("%30s %s%n", "", cpu);
      rate = (last - first) / seconds;
      rig.awaitClosed(outputs);
    }
    long messages = rig.messages(outputs);
    if (messages != events) {
      throw new IllegalStateException(
          "%s: %,d outputs of %,d events".formatted(kind.name, messages, events));
    }
    rig.drop(outputs);
    return rate;
  }
}
