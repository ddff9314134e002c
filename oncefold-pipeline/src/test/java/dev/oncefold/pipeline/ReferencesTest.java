package dev.oncefold.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What settings refer to is found, and never told. */
class ReferencesTest {
  @TempDir Path directory;

  private static Map<String, String> followed(String value) {
    return References.followed(
        new Settings(Map.of("password", value)), name -> name.equals("BANK") ? "se$cr\\et" : null);
  }

  @Test
  void theEnvironmentAndFiles() throws IOException {
    Path whole = Files.writeString(directory.resolve("whole"), "open sesame\n");
    Path some = Files.writeString(directory.resolve("some"), "a=b\nbank.password=x\n");
    assertThat(followed("plain")).containsEntry("password", "plain");
    assertThat(followed("a${env:BANK}b")).containsEntry("password", "ase$cr\\etb");
    assertThat(followed("${file:" + whole + "}")).containsEntry("password", "open sesame");
    assertThat(followed("${file:" + some + ":bank.password}")).containsEntry("password", "x");
  }

  @Test
  void whatIsNotThereIsNamedAndNothingElse() throws IOException {
    assertThatThrownBy(() -> followed("secret ${env:NONE}"))
        .isInstanceOf(References.Missing.class)
        .hasMessage("password is taken from the environment, and there is no NONE in it: set it");
    Path none = directory.resolve("none");
    assertThatThrownBy(() -> followed("${file:" + none + "}"))
        .hasMessage("password is taken from " + none + ", which is not there");
    Path some = Files.writeString(directory.resolve("some"), "secret=hidden\n");
    assertThatThrownBy(() -> followed("${file:" + some + ":other}"))
        .hasMessage("password is taken from " + some + ", which has no property other");
    Path bytes = Files.write(directory.resolve("bytes"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThatThrownBy(() -> followed("${file:" + bytes + "}"))
        .hasMessage("password is taken from " + bytes + ", which cannot be read as text")
        .hasNoCause();
  }
}
