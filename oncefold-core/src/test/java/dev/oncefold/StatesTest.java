package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class StatesTest {
  private final States<Integer> states = States.of(List.of("a", "b"), List.of(1, 2));

  @Test
  void holdsTheStatesInTheOrderNamed() {
    assertThat(states.keys()).containsExactly("a", "b");
    assertThat(states.get("a")).isEqualTo(1);
    assertThat(states.get("b")).isEqualTo(2);
    assertThat(states).hasToString("{a=1, b=2}");
  }

  @Test
  void aChangeIsANewValue() {
    States<Integer> changed = states.with("b", 7).without("a");
    assertThat(states).hasToString("{a=1, b=2}");
    assertThat(changed).hasToString("{a=null, b=7}");
    assertThat(changed.orNull("a")).isNull();
    assertThat(changed.orNull("b")).isEqualTo(7);
    assertThatThrownBy(() -> changed.get("a")).hasMessage("the key \"a\" was deleted");
    assertThat(changed.with("a", 1).with("b", 2)).isEqualTo(states).hasSameHashCodeAs(states);
    assertThat(changed).isNotEqualTo(states);
    assertThat(States.one("a", 1)).isNotEqualTo(States.one("b", 1)).isNotEqualTo("a");
  }

  @Test
  void refusesKeysThatTheEventDoesNotName() {
    assertThatThrownBy(() -> states.get("c"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the event does not name the key \"c\"; it names [a, b]");
    assertThatThrownBy(() -> states.orNull("c")).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> states.with("c", 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> states.without("c")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void itsKeysCannotBeChanged() {
    assertThatThrownBy(() -> states.keys().add("c"))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  @SuppressWarnings("NullAway") // the mistake that is tested
  void aNullStateIsSaidWithWithout() {
    assertThatThrownBy(() -> states.with("a", null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("without(key)");
  }
}
