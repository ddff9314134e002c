package dev.oncefold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Decider.Decision;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeciderTest {
  record Lamp(boolean on, int switched) {}

  enum Command {
    TURN_ON,
    BLINK,
    NOTHING
  }

  enum Fact {
    WENT_ON,
    WENT_OFF
  }

  private static final Decider<Lamp, Command, Fact> DECIDER =
      new Decider<>() {
        @Override
        public Decision<Fact> decide(Lamp lamp, Command command) {
          return switch (command) {
            case TURN_ON ->
                lamp.on()
                    ? new Decision.Refused<>("it is on")
                    : new Decision.Facts<>(List.of(Fact.WENT_ON));
            case BLINK -> new Decision.Facts<>(List.of(Fact.WENT_ON, Fact.WENT_OFF, Fact.WENT_ON));
            case NOTHING -> new Decision.Facts<>(List.of());
          };
        }

        @Override
        public Lamp evolve(Lamp lamp, Fact fact) {
          return new Lamp(fact == Fact.WENT_ON, lamp.switched() + 1);
        }
      };

  private static Outcome<Lamp, Fact> apply(Lamp lamp, Command command) throws Exception {
    return DECIDER.update().apply(lamp, new Event<>("c-1", "lamp", null, command));
  }

  @Test
  void factsEvolveTheStateInOrderAndAreTheOutputs() throws Exception {
    assertThat(apply(new Lamp(false, 0), Command.BLINK))
        .isEqualTo(
            new Outcome.Accepted<>(
                new Lamp(true, 3),
                List.of(
                    new Output<>(Output.DEFAULT, Fact.WENT_ON),
                    new Output<>(Output.DEFAULT, Fact.WENT_OFF),
                    new Output<>(Output.DEFAULT, Fact.WENT_ON))));
  }

  @Test
  void aRefusedCommandIsARejection() throws Exception {
    assertThat(apply(new Lamp(true, 1), Command.TURN_ON))
        .isEqualTo(new Outcome.Rejected<Lamp, Fact>("it is on"));
  }

  @Test
  void noFactsChangeNothing() throws Exception {
    assertThat(apply(new Lamp(true, 1), Command.NOTHING))
        .isEqualTo(new Outcome.Accepted<Lamp, Fact>(new Lamp(true, 1), List.of()));
  }
}
