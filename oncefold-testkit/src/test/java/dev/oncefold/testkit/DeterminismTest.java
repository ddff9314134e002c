package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.Codec;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.States;
import dev.oncefold.Update;
import dev.oncefold.testkit.Determinism.Difference;
import dev.oncefold.testkit.Determinism.Kind;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * A sound fold passes; one that depends on anything else is told, with the event that showed it.
 */
class DeterminismTest {
  private static final int EVENTS = 200;
  // The first event that the folds below treat wrongly.
  private static final int BAD = 42;

  record Payment(String kind, long cents) {}

  record Account(long cents, List<String> notes) {}

  private static List<Event<Payment>> payments() {
    List<Event<Payment>> events = new ArrayList<>();
    Instant start = Instant.parse("2026-01-01T00:00:00Z");
    for (int i = 0; i < EVENTS; i++) {
      String kind = i % 7 == 3 ? "withdraw" : "deposit";
      Event<Payment> event =
          new Event<>("p-" + i, "k" + i % 5, start.plusSeconds(i), new Payment(kind, 100L * i));
      events.add(event);
      if (i % 10 == 9) {
        events.add(event);
      }
    }
    return events;
  }

  private static boolean bad(Event<Payment> event) {
    return event.value().cents() >= 100L * BAD;
  }

  private static Fold.Builder<Account, Payment, String> bank() {
    return Fold.of("bank", Account.class, Payment.class, String.class)
        .initially(new Account(0, List.of()))
        .remembering(Duration.ofDays(7));
  }

  private static Outcome<Account, String> noting(Account account, Event<Payment> event, Object o) {
    List<String> notes = account.notes().isEmpty() ? List.of("first") : account.notes();
    long cents = account.cents() + event.value().cents();
    return Outcome.accept(new Account(cents, notes), event.key() + (bad(event) ? " " + o : ""));
  }

  /** A subject whose update is all that differs. */
  abstract static class Payments implements Subject<Account, Payment, String> {
    abstract Update<Account, Payment, String> update();

    @Override
    public Fold<Account, Payment, String> fold() {
      return bank().update(update());
    }

    @Override
    public List<Event<Payment>> events() {
      return payments();
    }
  }

  private static Difference found(Class<?> subject) throws InterruptedException {
    return Objects.requireNonNull(Determinism.check(subject).difference());
  }

  private static Difference found(Class<?> subject, Kind kind) throws InterruptedException {
    Difference found = found(subject);
    assertThat(found.kind()).isEqualTo(kind);
    assertThat(found.told()).contains("key \"" + found.key() + "\"", found.one(), found.other());
    return found;
  }

  /** The event that the fold was the first to treat wrongly; four re-sends are before it. */
  private static Difference foundAtTheFirst(Class<?> subject) throws InterruptedException {
    Difference found = found(subject, Kind.RESULT);
    assertThat(found.position()).isEqualTo(BAD + 4);
    assertThat(found.key()).isEqualTo("k2");
    assertThat(found.id()).isEqualTo("p-42");
    assertThat(found.one()).startsWith("Applied, \"k2\" is Account[").isNotEqualTo(found.other());
    return found;
  }

  // ---------------------------------------------------------------- sound ones

  static final class Sound extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) ->
          event.value().kind().equals("withdraw") && account.cents() < 5000
              ? Outcome.reject("insufficient funds")
              : noting(account, event, "fine");
    }
  }

  @Test
  void aSoundFoldPasses() throws Exception {
    Determinism.Result result = Determinism.check(Sound.class);
    assertThat(result.difference()).isNull();
    assertThat(result.passed()).isTrue();
    assertThat(result.counts().rejected()).isPositive();
    assertThat(result.counts().duplicates()).isEqualTo(EVENTS / 10);
    assertThat(result.counts().events()).isEqualTo(EVENTS + EVENTS / 10);
  }

  static final class Transfers implements Subject<Account, Payment, String> {
    private final String other;

    Transfers(String[] arguments) {
      this.other = arguments[0];
    }

    @Override
    public Fold<Account, Payment, String> fold() {
      return bank()
          .update(
              event -> List.of(event.key(), other),
              (states, event) -> {
                States<Account> after = states;
                for (String key : states.keys()) {
                  after = after.with(key, new Account(states.get(key).cents() + 1, List.of(key)));
                }
                return Outcome.accept(event.value().cents() % 300 == 0 ? null : after);
              });
    }

    @Override
    public List<Event<Payment>> events() {
      return payments();
    }
  }

  @Test
  void aFoldOverSeveralKeysWithArgumentsPasses() throws Exception {
    assertThat(Determinism.check(Transfers.class, "bank and more").difference()).isNull();
    // Then the fold names a key twice: Failed, every time with the same reason.
    assertThat(Determinism.check(Transfers.class, "k1").difference()).isNull();
  }

  // ---------------------------------------------------------------- seen in one process

  static final class Nanos extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, System.nanoTime());
    }
  }

  static final class Millis extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> {
        if (bad(event)) {
          TimeUnit.MILLISECONDS.sleep(2); // what takes so long that the clock moves on
        }
        return noting(account, event, System.currentTimeMillis());
      };
    }
  }

  static final class Dice extends Payments {
    private final Random random = new Random();

    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, random.nextLong());
    }
  }

  static final class Uuids extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, UUID.randomUUID());
    }
  }

  static final class Counter extends Payments {
    private static int count;

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate")
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, bad(event) ? ++count : 0);
    }
  }

  static final class IdentityOrder extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> {
        Set<Object> set = new HashSet<>();
        List<Object> known = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
          known.add(new Object());
        }
        set.addAll(known);
        return noting(account, event, set.stream().map(known::indexOf).toList());
      };
    }
  }

  @Test
  void whatAClockADiceOrACounterSaysIsTold() throws Exception {
    for (Class<?> subject :
        List.of(
            Nanos.class,
            Millis.class,
            Dice.class,
            Uuids.class,
            Counter.class,
            IdentityOrder.class)) {
      Difference found = foundAtTheFirst(subject);
      assertThat(found.how()).as(subject.getName()).contains("judged again");
      assertThat(found.told()).contains("a clock, a random number");
    }
  }

  // ---------------------------------------------------------------- changed in place

  static final class Wallet {
    private long cents;

    Wallet(long cents) {
      this.cents = cents;
    }

    @Override
    public String toString() {
      return cents + " cents";
    }
  }

  private static Fold.Builder<Wallet, Payment, Wallet> wallets() {
    Codec<Wallet> codec =
        Codec.of(
            "wallet",
            wallet -> Long.toString(wallet.cents).getBytes(StandardCharsets.UTF_8),
            bytes -> new Wallet(Long.parseLong(new String(bytes, StandardCharsets.UTF_8))));
    return Fold.of("wallets", Wallet.class, Payment.class, Wallet.class)
        .stateCodec(codec)
        .outputCodec(codec)
        .rememberingForever();
  }

  abstract static class Wallets implements Subject<Wallet, Payment, Wallet> {
    @Override
    public List<Event<Payment>> events() {
      return payments();
    }
  }

  static final class InPlace extends Wallets {
    @Override
    public Fold<Wallet, Payment, Wallet> fold() {
      return wallets()
          .initially(new Wallet(0))
          .update(
              (wallet, event) -> {
                Wallet next = bad(event) ? wallet : new Wallet(wallet.cents);
                next.cents += event.value().cents();
                return Outcome.accept(next);
              });
    }
  }

  @Test
  void anUpdateThatChangesItsStateIsTold() throws Exception {
    Difference found = found(InPlace.class, Kind.STATE_CHANGED);
    assertThat(found.position()).isEqualTo(BAD + 4);
    assertThat(found.one()).contains("\"k2\"").contains(" cents");
    assertThat(found.told()).contains("changed in place");
  }

  static final class Reused extends Wallets {
    private final Wallet wallet = new Wallet(0);

    @Override
    public Fold<Wallet, Payment, Wallet> fold() {
      return wallets()
          .initially(new Wallet(0))
          .update(
              (before, event) -> {
                wallet.cents = before.cents + event.value().cents();
                return Outcome.accept(wallet);
              });
    }
  }

  @Test
  void oneObjectForTheStatesOfAllKeysIsTold() throws Exception {
    // k0 is stored at the event 0, and the next event of k0 is the sixth.
    Difference found = found(Reused.class, Kind.STATE_CHANGED);
    assertThat(found.position()).isEqualTo(5);
    assertThat(found.key()).isEqualTo("k0");
  }

  static final class OneOutput extends Wallets {
    private final Wallet output = new Wallet(0);

    @Override
    public Fold<Wallet, Payment, Wallet> fold() {
      return wallets()
          .initially(new Wallet(0))
          .update(
              (before, event) -> {
                output.cents += bad(event) ? 1 : 0;
                return new Outcome.Accepted<>(before, List.of(new Output<>("all", output)));
              });
    }
  }

  @Test
  void aResultThatChangesAfterwardsIsTold() throws Exception {
    Difference found = found(OneOutput.class, Kind.RESULT_CHANGED);
    assertThat(found.position()).isEqualTo(BAD + 4);
    assertThat(found.one()).contains("to all: 1 cents");
    assertThat(found.other()).contains("to all: 2 cents");
  }

  record Order(List<String> items) {}

  static final class Sorting implements Subject<Account, Order, String> {
    @Override
    public Fold<Account, Order, String> fold() {
      return Fold.of("orders", Account.class, Order.class, String.class)
          .initially(new Account(0, List.of()))
          .rememberingForever()
          .update(
              (account, event) -> {
                event.value().items().sort(null);
                return Outcome.accept(new Account(0, List.copyOf(event.value().items())));
              });
    }

    @Override
    public List<Event<Order>> events() {
      return List.of(
          new Event<>("1", "k", null, new Order(new ArrayList<>(List.of("a", "b")))),
          new Event<>("2", "k", null, new Order(new ArrayList<>(List.of("b", "a")))));
    }
  }

  @Test
  void anUpdateThatChangesTheEventIsTold() throws Exception {
    assertThat(found(Sorting.class, Kind.EVENT_CHANGED).id()).isEqualTo("2");
  }

  // ---------------------------------------------------------------- seen in another process

  static final class Locales extends Payments {
    @Override
    @SuppressWarnings("StringCaseLocaleUsage") // the mistake that is tested
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, event.value().kind().toUpperCase());
    }

    @Override
    public List<Event<Payment>> events() {
      return payments().stream()
          .map(e -> new Event<>(e.id(), e.key(), e.time(), new Payment("title", e.value().cents())))
          .toList();
    }
  }

  static final class Digits extends Payments {
    @Override
    @SuppressWarnings("StringFormatWithoutLocale") // the mistake that is tested
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, String.format("%d", 5));
    }
  }

  static final class Zones extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) ->
          noting(
              account,
              event,
              Objects.requireNonNull(event.time()).atZone(ZoneId.systemDefault()).getHour());
    }
  }

  static final class Today extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, LocalDate.now(ZoneId.systemDefault()));
    }
  }

  static final class Encodings extends Payments {
    @Override
    @SuppressWarnings("DefaultCharset") // the mistake that is tested
    Update<Account, Payment, String> update() {
      return (account, event) ->
          noting(account, event, "é€".getBytes(Charset.defaultCharset()).length);
    }
  }

  static final class EnumOrder extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) ->
          noting(account, event, new HashSet<>(List.of(TimeUnit.values())).toString());
    }
  }

  @Test
  void whatDiffersBetweenMachinesIsTold() throws Exception {
    for (Class<?> subject :
        List.of(
            Locales.class,
            Digits.class,
            Zones.class,
            Today.class,
            Encodings.class,
            EnumOrder.class)) {
      Difference found = foundAtTheFirst(subject);
      assertThat(found.how()).as(subject.getName()).contains("another process");
      assertThat(found.told()).contains("time zone, locale or encoding");
    }
  }

  // ---------------------------------------------------------------- subjects that are none

  static final class OtherEvents extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, "fine");
    }

    @Override
    public List<Event<Payment>> events() {
      List<Event<Payment>> events = payments();
      events.set(
          3, new Event<>(UUID.randomUUID().toString(), "k", Instant.EPOCH, new Payment("x", 1)));
      return events;
    }
  }

  static final class FewerEvents extends Payments {
    private static int asked;

    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, "fine");
    }

    @Override
    public List<Event<Payment>> events() {
      return payments().subList(0, 20 - asked++);
    }
  }

  @Test
  void aSubjectThatGivesOtherEventsIsTold() throws Exception {
    assertThat(found(OtherEvents.class, Kind.EVENTS).position()).isEqualTo(3);
    Difference found = found(FewerEvents.class, Kind.EVENTS);
    assertThat(found.position()).isEqualTo(19);
    assertThat(found.other()).isEqualTo("there is no such event");
  }

  static final class NoEvents extends Payments {
    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, "fine");
    }

    @Override
    public List<Event<Payment>> events() {
      return List.of();
    }
  }

  @Test
  void noEventsProveNothing() {
    assertThatThrownBy(() -> Determinism.check(NoEvents.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NoEvents has no events");
  }

  @Test
  void whatIsNoSubjectIsTold() {
    assertThatThrownBy(() -> Determinism.check(String.class))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("java.lang.String is no dev.oncefold.testkit.Subject");
    assertThatThrownBy(() -> Determinism.check(Sound.class, "x"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a constructor that takes a String[]");
  }

  static final class OnlyHere extends Payments {
    private static final long PARENT = ProcessHandle.current().parent().orElseThrow().pid();

    OnlyHere(String[] parent) {
      if (PARENT != Long.parseLong(parent[0])) {
        throw new IllegalStateException("not in this process");
      }
    }

    @Override
    Update<Account, Payment, String> update() {
      return (account, event) -> noting(account, event, "fine");
    }
  }

  @Test
  void aProcessThatCannotJudgeIsTold() {
    assertThatThrownBy(() -> Determinism.check(OnlyHere.class, Long.toString(OnlyHere.PARENT)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("another process")
        .hasMessageContaining("not in this process");
  }
}
