package dev.oncefold.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Events per second of several variants that were measured in turn, round by round. */
final class Rates {
  private final int rounds;
  private final Map<String, double[]> rates = new LinkedHashMap<>();

  Rates(int rounds) {
    this.rounds = rounds;
  }

  /** Takes down a rate, and prints it. */
  void add(int round, String name, double rate) {
    rates.computeIfAbsent(name, each -> new double[rounds])[round] = rate;
    System.out.printf("round %d  %-20s  %,10.0f events/s%n", round + 1, name, rate);
  }

  void printMedians() {
    System.out.printf(
        "%n%-20s  %12s  %12s  %12s%n", "median of " + rounds, "events/s", "least", "most");
    rates.forEach(
        (name, rate) ->
            System.out.printf(
                "%-20s  %,12.0f  %,12.0f  %,12.0f%n",
                name,
                Throughput.median(rate),
                Arrays.stream(rate).min().orElse(0),
                Arrays.stream(rate).max().orElse(0)));
  }

  /** Of one variant to each other, round by round: what the machine does to one it does to both. */
  void printRatios(String one) {
    double[] above = rates.get(one);
    if (above == null) {
      return;
    }
    rates.forEach(
        (name, rate) -> {
          if (!name.equals(one)) {
            double[] ratio = new double[rounds];
            for (int i = 0; i < rounds; i++) {
              ratio[i] = above[i] / rate[i];
            }
            System.out.printf(
                "%s / %s, round by round: median %.2f (%.2f to %.2f)%n",
                one,
                name,
                Throughput.median(ratio),
                Arrays.stream(ratio).min().orElse(0),
                Arrays.stream(ratio).max().orElse(0));
          }
        });
  }
}
