package dev.oncefold.bench;

import dev.oncefold.Event;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The fold inside Kafka Streams, with ids and without, and the same work by hand in its DSL, in
 * turn: A B C A B C. All read the same topic of four partitions with events of 100 bytes, in the
 * same run, on the same broker, each as an application of its own with the default commit interval.
 * A rate is counted from the commit that covers the first third of the events to the one that
 * covers nine tenths; what comes before, like the start of the threads, is warm-up. Every event is
 * accepted and has one output, and that each is in the output topic once is checked.
 */
final class StreamsPeers {
  private StreamsPeers() {}

  static void run(Settings settings) throws Exception {
    int events = settings.number("events", 2_000_000);
    int threads = settings.number("threads", 1);
    String keys = settings.text("keys", "uniform");
    try (StreamsRig rig = StreamsRig.start(settings)) {
      rig.fill(() -> payments(events, keys));
      System.out.printf(
          "%,d events over %,d keys, %s, %d partitions, %d stream thread%s%n",
          events, Rig.ACCOUNTS, keys, StreamsRig.PARTITIONS, threads, threads == 1 ? "" : "s");
      Way.inTurn(settings, Way.EVERYWHERE, way -> measure(rig, way, events, threads));
    }
  }

  static Iterator<Event<Workload.Payment>> payments(int events, String keys) {
    SplittableRandom random = new SplittableRandom(7);
    IntUnaryOperator account =
        switch (keys) {
          case "uniform" -> i -> random.nextInt(Rig.ACCOUNTS);
          case "zipf" -> zipf(random);
          default -> throw new IllegalArgumentException("keys=" + keys + ": uniform or zipf");
        };
    return IntStream.range(0, events)
        .mapToObj(i -> Workload.event(i, account.applyAsInt(i), random))
        .iterator();
  }

  /** The n-th account has a share of the payments that goes with 1/n. */
  private static IntUnaryOperator zipf(SplittableRandom random) {
    double[] upTo = new double[Rig.ACCOUNTS];
    double sum = 0;
    for (int i = 0; i < upTo.length; i++) {
      sum += 1.0 / (i + 1);
      upTo[i] = sum;
    }
    double all = sum;
    return i -> {
      int found = Arrays.binarySearch(upTo, random.nextDouble() * all);
      return found < 0 ? -found - 1 : found;
    };
  }

  private static Way.Measured measure(StreamsRig rig, Way way, int events, int threads)
      throws Exception {
    String application = "bench-" + way.name.replace(' ', '-') + "-" + System.nanoTime();
    String outputs = application + "-receipts";
    rig.create(outputs);
    Way.Measured rate;
    try (StreamsPeer peer =
        StreamsPeer.start(
            way,
            rig.bootstrap(),
            application,
            outputs,
            rig.directory().resolve(application),
            Map.of("num.stream.threads", threads))) {
      rate = rig.rate(application, events, peer::check);
    }
    rig.checkAndDrop(outputs, events);
    return rate;
  }
}
