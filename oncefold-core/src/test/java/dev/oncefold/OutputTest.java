package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class OutputTest {
  record Parts(String fold, String key, String event, int n) {
    String id() {
      return Output.id(fold, key, event, n);
    }
  }

  @Test
  void idsAreReadable() {
    assertThat(Output.id("accounts", "alice", "p-1", 0)).isEqualTo("accounts/alice/p-1/0");
    assertThat(Output.id("a/b", "50%", "x%2Fy", 12)).isEqualTo("a%2Fb/50%25/x%252Fy/12");
  }

  /** The letters are few and the awkward ones, so that different parts meet if they ever can. */
  @Provide
  Arbitrary<Parts> parts() {
    Arbitrary<String> text = Arbitraries.strings().withChars("a/%2F5").ofMaxLength(4);
    return Combinators.combine(text, text, text, Arbitraries.integers().between(0, 11))
        .as(Parts::new);
  }

  @Property(tries = 20_000)
  void differentOutputsNeverShareAnId(@ForAll("parts") Parts one, @ForAll("parts") Parts other) {
    assertThat(one.id().equals(other.id())).isEqualTo(one.equals(other));
  }

  /** Stronger: what went in can be read from the id again. */
  @Property(tries = 2_000)
  void theIdHoldsItsParts(@ForAll String fold, @ForAll String key, @ForAll String event) {
    String[] parts = Output.id(fold, key, event, 3).split("/", -1);
    assertThat(parts).hasSize(4);
    assertThat(read(parts[0])).isEqualTo(fold);
    assertThat(read(parts[1])).isEqualTo(key);
    assertThat(read(parts[2])).isEqualTo(event);
    assertThat(parts[3]).isEqualTo("3");
  }

  @Property(tries = 2_000)
  void anEventWithoutAnIdGoesByWhereItWasRead(
      @ForAll String fold, @ForAll String key, @ForAll String partition, @ForAll long offset) {
    assertThat(Output.id(fold, key, partition, offset, 3))
        .isEqualTo(Output.id(fold, key, partition + '@' + offset, 3));
  }

  private static String read(String part) {
    return part.replace("%2F", "/").replace("%25", "%");
  }
}
