package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UsageTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                          | No command is given",
        "dmeo                        | There is no command \"dmeo\"; there is demo, check, run, state, history, rebuild",
        "--verbose                   | Unknown option: '--verbose'",
        "demo --kill 3               | Unknown options: '--kill', '3'",
        "demo --events               | '--events'",
        "demo --events many          | 'many' is not a long",
        "demo --events 9999          | --events is 9,999; give a number from 10,000 to 2,000,000",
        "demo --events 9000000       | --events is 9,000,000; give a number from",
        "demo --kills 0              | --kills is 0; without a kill there is nothing to prove",
        "demo --kills -1             | --kills is -1",
        "demo --events 10000 --kills 21 | give at most 20",
        "demo extra                  | 'extra'",
        "check                       | Missing required parameter: 'PIPELINE'",
        "run                         | Missing required parameter: 'PIPELINE'",
        "run a.yaml b.yaml           | Unmatched argument at index 2: 'b.yaml'",
        "run a.yaml --source         | '--source' (FILE)",
        "run a.yaml --refuse         | '--refuse' (POSITION)",
        "run a.yaml --folow          | Unknown option: '--folow'",
        "state                       | Missing required parameter: 'PIPELINE'",
        "state a.yaml --as-of now    | 'now' is not a long",
        "state a.yaml --as-of -1     | --as-of is -1; sequences begin with 0, before all events",
        "state a.yaml k l            | Unmatched argument at index 3: 'l'",
        "history a.yaml              | Missing required parameter: 'KEY'",
        "rebuild                     | Missing required parameter: 'PIPELINE'",
      })
  void whatIsWrongIsSaidAndTheExitCodeIsTwo(String line, String said) {
    Command command =
        Command.oncefold(line.isEmpty() ? new String[0] : line.trim().split(" +", -1));
    assertThat(command.err()).contains(said).contains("--help").doesNotContain("Exception");
    assertThat(command.out()).isEmpty();
    assertThat(command.exitCode()).isEqualTo(2);
  }

  @Test
  void aDirectoryThatIsInUseIsRefused(@TempDir Path directory) throws IOException {
    Path mine = Files.writeString(directory.resolve("mine"), "precious");
    Command inside = Command.oncefold("demo", "--dir", directory.toString());
    assertThat(inside.err()).contains("--dir " + directory + " is not empty; name a directory");
    assertThat(inside.exitCode()).isEqualTo(2);
    Command file = Command.oncefold("demo", "--dir", mine.toString());
    assertThat(file.err()).contains("--dir " + mine + " is a file; name a directory");
    assertThat(file.exitCode()).isEqualTo(2);
    Command below = Command.oncefold("demo", "--dir", mine.resolve("below").toString());
    assertThat(below.err()).contains("--dir " + mine + "/below cannot be used: ");
    assertThat(below.exitCode()).isEqualTo(2);
    assertThat(mine).hasContent("precious");
  }

  @Test
  void everyCommandExplainsItself() {
    Command top = Command.oncefold("--help");
    assertThat(top.out()).contains("Usage: oncefold", "demo");
    assertThat(top.exitCode()).isZero();
    Command demo = Command.oncefold("demo", "--help");
    assertThat(demo.out())
        .contains("Usage: oncefold demo", "--events", "--kills", "--seed", "--dir", "--json")
        .contains("Exit code");
    assertThat(demo.exitCode()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "check", "run", "state", "history", "rebuild"})
  void everyCommandSaysWhatItsExitCodesMean(String name) {
    Command help = Command.oncefold(name, "--help");
    assertThat(help.out()).startsWith("Usage: oncefold " + name).contains("--json", "Exit code");
    assertThat(help.err()).isEmpty();
    assertThat(help.exitCode()).isZero();
    assertThat(Command.oncefold("--help").out()).contains("  " + name);
  }

  @Test
  void theVersionIsTold() {
    Command version = Command.oncefold("--version");
    assertThat(version.out()).startsWith("oncefold ");
    assertThat(version.exitCode()).isZero();
  }
}
