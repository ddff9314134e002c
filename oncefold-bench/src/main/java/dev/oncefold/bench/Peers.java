package dev.oncefold.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Kafka into PostgreSQL, this project's way and others', in turn: A B C D A B C D. All read the
 * same topic of one partition with events of 100 bytes, in the same run, on the same broker and the
 * same database. A rate is counted from the commit of one mark in the topic to the commit of a
 * later one; what comes before the first, like the start of a process, is warm-up.
 */
final class Peers {
  /** So many events stand between two marks. */
  private static final int EVERY = 5_000;

  /** How many events a variant is given: the slow ones would take hours for those of the fast. */
  private record Variant(Supplier<Peer> peer, int warmup, int events) {}

  private Peers() {}

  static void run(Settings settings) throws Exception {
    int rounds = settings.number("rounds", 3);
    int most = settings.number("events", 1_500_000);
    String only = settings.text("only", "");
    List<Variant> variants = new ArrayList<>();
    for (Variant variant : all(settings, most)) {
      if (variant.peer().get().name().contains(only)) {
        variants.add(variant);
      }
    }
    Rates rates = new Rates(rounds);
    try (Rig rig = Rig.start(settings)) {
      rig.fill(Rig.TOPIC, most, EVERY);
      for (int round = 0; round < rounds; round++) {
        for (Variant variant : variants) {
          Peer peer = variant.peer().get();
          rates.add(round, peer.name(), measure(rig, peer, variant));
          System.gc();
        }
      }
    }
    rates.printMedians();
    rates.printRatios(settings.text("against", "oncefold"));
  }

  private static List<Variant> all(Settings settings, int most) {
    int warmup = most / 3 / EVERY * EVERY;
    int batch = settings.number("batch", 4_000);
    int some = Math.min(most, 300_000);
    return List.of(
        new Variant(() -> new OncefoldPeer(true, batch), warmup, most),
        new Variant(() -> new OncefoldPeer(false, batch), warmup, most),
        new Variant(OneByOne::new, EVERY, Math.min(most, 6 * EVERY)),
        new Variant(() -> new SpringBatch(false), some / 3, some),
        new Variant(() -> new SpringBatch(true), some / 3, some),
        new Variant(() -> new ConnectSink(settings), some / 3, some),
        new Variant(() -> new FoldedLimit(batch), warmup, most));
  }

  private static double measure(Rig rig, Peer peer, Variant variant) throws Exception {
    rig.reset(peer);
    try (Marks marks = new Marks(rig, peer, TimeUnit.MILLISECONDS.toNanos(2))) {
      peer.start(rig, Rig.TOPIC);
      long first = marks.await(variant.warmup() / EVERY);
      CpuTime before = CpuTime.now();
      long begin = System.nanoTime();
      long last = marks.await(variant.events() / EVERY);
      double seconds = (System.nanoTime() - begin) / 1e9;
      String cpu = CpuTime.now().since(before, (last - first) * EVERY);
      if (last <= first) {
        throw new IllegalStateException(
            peer.name() + " was through before it was looked at: give it more events");
      }
      System.out.printf("%30s %s%n", "", cpu);
      marks.awaitLeft();
      if (!peer.leaving().isEmpty()) {
        System.out.printf(
            "%30s outputs were out %.2f s after the last commit, which is %,.0f events/s%n",
            "",
            (System.nanoTime() - begin) / 1e9 - seconds,
            (last - first) * EVERY / ((System.nanoTime() - begin) / 1e9));
      }
      return (last - first) * EVERY / seconds;
    } finally {
      peer.stop();
    }
  }
}
