package dev.oncefold.bench;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** Payments into accounts, one receipt each, inside an engine that has a loop of its own. */
enum Way {
  IDS("oncefold"),
  NO_IDS("oncefold without ids"),
  BY_HAND("by hand"),
  /** The same, where each output has an id, as the fold's have; for Flink alone. */
  BY_HAND_IDS("hand-written, output ids");

  /** Those that there are in every engine. */
  static final List<Way> EVERYWHERE = List.of(IDS, NO_IDS, BY_HAND);

  final String name;

  Way(String name) {
    this.name = name;
  }

  /** Whether it is called so; or, where none is, has this in its name. */
  boolean isMeant(String only) {
    return Arrays.stream(values()).anyMatch(each -> each.name.equals(only))
        ? name.equals(only)
        : name.contains(only);
  }

  /** The fold of the first two. */
  Fold<Workload.Account, Workload.Payment, Workload.Receipt> fold() {
    var fold =
        Fold.of("accounts", Workload.Account.class, Workload.Payment.class, Workload.Receipt.class)
            .initially(new Workload.Account(Rig.BALANCE, 0));
    return (this == IDS ? fold.remembering(Duration.ofDays(7)) : fold.rememberingNoIds())
        .update(
            (account, event) -> {
              Workload.Account after = after(account, event.value());
              return Outcome.accept(
                  after, new Workload.Receipt(event.value().account(), after.cents()));
            });
  }

  /** What it reads of a record. */
  Event<Workload.Payment> event(byte[] record) {
    Event<Workload.Payment> event = Payments.decode(record);
    return this == IDS ? event : new Event<>(null, event.key(), null, event.value());
  }

  /** The same rule by hand. */
  static Workload.Account after(Workload.Account account, Workload.Payment payment) {
    long cents = payment.kind().equals("withdraw") ? -payment.cents() : payment.cents();
    return new Workload.Account(account.cents() + cents, account.payments() + 1);
  }

  static byte[] receipt(long cents) {
    return ("{\"cents\":" + cents + "}").getBytes(StandardCharsets.UTF_8);
  }

  /** Events per second, and what took the processors. */
  record Measured(double rate, String cpu) {}

  /** Measures one of them. */
  interface Measure {
    Measured measure(Way way) throws Exception;
  }

  /**
   * Measures all that are asked for in turn, A B C A B C, and prints what came of it. Rounds of
   * warm-up, in which the virtual machines compile what all of them run, are told and not counted.
   */
  static void inTurn(Settings settings, List<Way> ways, Measure measure) throws Exception {
    int rounds = settings.number("rounds", 3);
    String only = settings.text("only", "");
    Rates rates = new Rates(rounds);
    for (int round = -settings.number("warmup", 0); round < rounds; round++) {
      for (Way way : ways) {
        if (way.isMeant(only)) {
          Measured measured = measure.measure(way);
          if (round < 0) {
            System.out.printf("warm-up  %-20s  %,10.0f events/s%n", way.name, measured.rate());
          } else {
            rates.add(round, way.name, measured.rate());
          }
          System.out.printf("%9s%s%n", "", measured.cpu());
          System.gc();
        }
      }
    }
    rates.printMedians();
    String against = settings.text("against", IDS.name);
    rates.printRatios(against);
    if (!against.equals(NO_IDS.name)) {
      rates.printRatios(NO_IDS.name);
    }
  }
}
