package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class FoldTest {
  record State(long sum) {}

  record Amount(long value, String from) {}

  private static Fold.Builder<State, Amount, String> sums() {
    return Fold.of("sums", State.class, Amount.class, String.class);
  }

  private static Fold<State, Amount, String> built(Fold.Builder<State, Amount, String> builder) {
    return builder.update((s, e) -> Outcome.accept(new State(s.sum() + e.value().value())));
  }

  private static void refused(ThrowingCallable call, String... words) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void hasWhatItWasGiven() {
    Fold<State, Amount, String> fold =
        built(
            sums()
                .version(3)
                .rules("add\nit up")
                .initially(new State(7))
                .remembering(Duration.ofHours(4))
                .atMost(100)
                .whenFailed(Fold.WhenFailed.REFUSE));
    assertThat(fold.name()).isEqualTo("sums");
    assertThat(fold.version()).isEqualTo(3);
    assertThat(fold.rules()).isEqualTo("add\nit up");
    assertThat(fold.initial()).isEqualTo(new State(7));
    assertThat(fold.ids()).isEqualTo(new Fold.Ids(Fold.Ids.Kind.SPAN, Duration.ofHours(4), 100));
    assertThat(fold.whenFailed()).isEqualTo(Fold.WhenFailed.REFUSE);
    assertThat(fold.hasSeveralKeys()).isFalse();
    assertThat(fold.keys(new Event<>(null, "k", null, new Amount(1, "")))).isEqualTo(List.of("k"));
    assertThat(fold.fingerprintCodec()).isSameAs(fold.eventCodec());
  }

  @Test
  void stopsForFailedEventsAndHasVersionOneUnlessToldOtherwise() {
    Fold<State, Amount, String> fold = built(sums().initially(new State(0)).rememberingForever());
    assertThat(fold.whenFailed()).isEqualTo(Fold.WhenFailed.STOP);
    assertThat(fold.version()).isEqualTo(1);
    assertThat(fold.rules()).isEmpty();
  }

  @Test
  void refusesWhatIsMissing() {
    refused(() -> built(sums().rememberingForever()), "\"sums\"", "initially(state)");
    refused(
        () -> built(sums().initially(new State(0))),
        "\"sums\"",
        "remembering(span), rememberingForever() or rememberingNoIds()");
  }

  @Test
  void refusesWrongSettings() {
    refused(() -> Fold.of(" ", State.class, Amount.class, String.class), "name");
    refused(() -> sums().version(0), "starts at 1, not 0");
    refused(() -> sums().remembering(Duration.ZERO), "PT0S");
    refused(() -> sums().remembering(Duration.ofMillis(1)), "PT0.001S");
    refused(() -> sums().remembering(Duration.ofDays(-1)), "PT-24H");
    refused(() -> sums().atMost(0), "at least 1, not 0");
    refused(
        () -> built(sums().initially(new State(0)).rememberingForever().atMost(5)),
        "\"sums\"",
        "remembering(span)");
    refused(
        () -> built(sums().initially(new State(0)).rememberingForever().fingerprint("nosuchfield")),
        "nosuchfield");
  }

  /** A span that no long of milliseconds can hold would fail much later, at the first event. */
  @Test
  void refusesASpanThatNobodyCanCount() {
    refused(() -> sums().remembering(ChronoUnit.FOREVER.getDuration()), "rememberingForever()");
    refused(() -> sums().remembering(Duration.ofMillis(Long.MAX_VALUE).plusMillis(1)), "PT");
    assertThatCode(
            () ->
                built(sums().initially(new State(0)).remembering(Duration.ofMillis(Long.MAX_VALUE)))
                    .ids()
                    .aheadMillis())
        .doesNotThrowAnyException();
  }

  @Test
  void theBoundOnIdsMayComeBeforeTheSpan() {
    assertThat(
            built(sums().initially(new State(0)).atMost(9).remembering(Duration.ofDays(1)))
                .ids()
                .atMost())
        .isEqualTo(9);
  }

  @Test
  void anEventMayBeADayAheadOfTheClockOrHalfTheSpan() {
    assertThat(ahead(Duration.ofDays(7))).isEqualTo(Duration.ofDays(1).toMillis());
    assertThat(ahead(Duration.ofDays(2))).isEqualTo(Duration.ofDays(1).toMillis());
    assertThat(ahead(Duration.ofHours(3))).isEqualTo(Duration.ofMinutes(90).toMillis());
    assertThat(ahead(Duration.ofMillis(2))).isEqualTo(1);
  }

  private static long ahead(Duration span) {
    return built(sums().initially(new State(0)).remembering(span)).ids().aheadMillis();
  }

  @Test
  void codecsOfTheUsersOwnReplaceTheDefaultOnes() {
    Codec<String> own =
        Codec.of(
            "mine",
            s -> s.getBytes(java.nio.charset.StandardCharsets.UTF_8),
            bytes -> new String(bytes, java.nio.charset.StandardCharsets.UTF_8));
    Fold<State, Amount, String> fold =
        built(sums().initially(new State(0)).rememberingNoIds().outputCodec(own));
    assertThat(fold.outputCodec()).isSameAs(own);
  }
}
