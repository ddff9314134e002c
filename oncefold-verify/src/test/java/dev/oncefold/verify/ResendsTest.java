package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.verify.Resends.Kind;
import dev.oncefold.verify.Resends.Sent;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is sent again, how often, and where. Lines are their places; one in ten is no event. */
class ResendsTest {
  private static final long SECOND = 1000;
  private static final long SPAN = 1000 * SECOND;
  private static final List<String> UNREADABLE = List.of("torn", "noise");

  /** Each event is a second after the one before. */
  private static final Resends.Lines<String> ABOUT =
      new Resends.Lines<>() {
        @Override
        public boolean isRemembered(String line) {
          return !line.endsWith("7");
        }

        @Override
        public @Nullable Long time(String line) {
          return Integer.parseInt(line) * SECOND;
        }

        @Override
        public @Nullable String changed(String line, long seed) {
          return line.endsWith("3") ? null : line + "!";
        }
      };

  private static List<String> firsts(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  private static List<Sent<String>> mixed(int total, long span, long seed) {
    int firsts = Resends.firsts(total, span != Observation.Begin.NO_IDS, true);
    return Resends.mixed(firsts(firsts), ABOUT, UNREADABLE, total, span, seed);
  }

  private static Map<Kind, Integer> counts(List<Sent<String>> sent) {
    Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    sent.forEach(one -> counts.merge(one.kind(), 1, Integer::sum));
    return counts;
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 97, 1000, 12_345})
  void atLeastOneOfTwentyIsSentAgain(int total) {
    for (long seed = 0; seed < 20; seed++) {
      List<Sent<String>> sent = mixed(total, SPAN, seed);
      assertThat(sent).hasSize(total);
      Map<Kind, Integer> counts = counts(sent);
      int unreadable = counts.getOrDefault(Kind.UNREADABLE, 0);
      assertThat(unreadable).isBetween(1, total / 100 + 1);
      assertThat((total - counts.getOrDefault(Kind.FIRST, 0) - unreadable) * 20)
          .isGreaterThanOrEqualTo(total);
    }
  }

  @Test
  void everyKindComesAndStandsWhereItSays() {
    List<Sent<String>> sent = mixed(10_000, SPAN, 1);
    Map<String, Integer> placeOfFirst = new HashMap<>();
    List<Integer> order = new ArrayList<>();
    long now = Long.MIN_VALUE;
    for (int i = 0; i < sent.size(); i++) {
      String line = sent.get(i).line();
      switch (sent.get(i).kind()) {
        case FIRST -> {
          order.add(Integer.parseInt(line));
          placeOfFirst.put(line, i);
          now = Math.max(now, Objects.requireNonNull(ABOUT.time(line)));
        }
        case AT_ONCE ->
            assertThat(i - placeOfFirst.getOrDefault(line, Integer.MAX_VALUE)).isBetween(1, 3);
        case LATER ->
            assertThat(i).isGreaterThan(placeOfFirst.getOrDefault(line, Integer.MAX_VALUE));
        case BEYOND -> {
          assertThat(i).isGreaterThan(placeOfFirst.getOrDefault(line, Integer.MAX_VALUE));
          assertThat(now - Integer.parseInt(line) * SECOND).isGreaterThanOrEqualTo(SPAN * 3 / 2);
        }
        case CHANGED -> {
          assertThat(line).endsWith("!");
          assertThat(i)
              .isGreaterThan(placeOfFirst.getOrDefault(line.replace("!", ""), Integer.MAX_VALUE));
        }
        case UNREADABLE -> assertThat(UNREADABLE).contains(line);
      }
      if (sent.get(i).kind() != Kind.FIRST) {
        assertThat(line.replace("!", "")).as("not remembered").doesNotEndWith("7");
      }
    }
    assertThat(order).isSorted().hasSize(placeOfFirst.size());
    Map<Kind, Integer> counts = counts(sent);
    for (Kind kind : Kind.values()) {
      assertThat(counts.getOrDefault(kind, 0)).as(kind.name()).isGreaterThan(40);
    }
  }

  @Test
  void theSameSeedMixesTheSame() {
    assertThat(mixed(1000, SPAN, 5)).isEqualTo(mixed(1000, SPAN, 5));
    assertThat(mixed(1000, SPAN, 5)).isNotEqualTo(mixed(1000, SPAN, 6));
  }

  @Test
  void whereIdsAreKeptForEverNothingIsBeyondThem() {
    Map<Kind, Integer> counts = counts(mixed(5000, Observation.Begin.FOREVER, 1));
    assertThat(counts).doesNotContainKey(Kind.BEYOND).containsKeys(Kind.LATER, Kind.CHANGED);
  }

  @Test
  void whereNoIdsAreKeptNothingIsSentAgain() {
    List<Sent<String>> sent = mixed(5000, Observation.Begin.NO_IDS, 1);
    assertThat(counts(sent)).containsOnlyKeys(Kind.FIRST, Kind.UNREADABLE);
    assertThat(sent).hasSize(5000);
  }

  @Test
  void fewAndUnknownOnesAreNoTrouble() {
    assertThat(mixed(1, SPAN, 1)).extracting(Sent::kind).containsExactly(Kind.FIRST);
    assertThat(mixed(3, SPAN, 1)).hasSize(3);
    // None of them is remembered.
    List<Sent<String>> sent =
        Resends.mixed(List.of("7", "17", "27"), ABOUT, List.of(), 10, SPAN, 1);
    assertThat(counts(sent)).containsOnlyKeys(Kind.FIRST);
  }
}
