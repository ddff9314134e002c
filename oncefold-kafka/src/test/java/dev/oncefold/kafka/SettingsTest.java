package dev.oncefold.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.SourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The users' properties: what passes through, what is refused, and where secrets come from. */
class SettingsTest {
  @TempDir Path directory;

  private static Settings of(Map<String, String> given) {
    return new Settings(given, Map.of("PASSWORD", "from $ \\1 env")::get, SourceException::new);
  }

  private static KafkaSource<String> source(String name, String value) {
    return KafkaSource.<String>of("127.0.0.1:1", "t", record -> null).group("g").with(name, value);
  }

  @Test
  void allPropertiesPassThrough() {
    Settings settings =
        SourceClients.settings(
            new KafkaSource.Plan<>(
                "127.0.0.1:1",
                "t",
                record -> null,
                "t",
                "g",
                KafkaSource.Start.END,
                Map.of(
                    "security.protocol", "SASL_SSL",
                    "fetch.max.wait.ms", "100",
                    "max.poll.records", "7",
                    "enable.auto.commit", "false",
                    "of.a.plug-in", "x")));
    assertThat(settings.map())
        .containsEntry("security.protocol", "SASL_SSL")
        .containsEntry("fetch.max.wait.ms", "100")
        .containsEntry("max.poll.records", "7")
        .containsEntry("of.a.plug-in", "x")
        .containsEntry("isolation.level", "read_committed")
        .containsEntry("group.id", "g");
  }

  @ParameterizedTest
  @CsvSource({
    "enable.auto.commit,true",
    "auto.offset.reset,earliest",
    "isolation.level,read_uncommitted",
    "bootstrap.servers,elsewhere:9092",
    "group.id,other",
    "value.deserializer,my.Deserializer",
    "key.deserializer,my.Deserializer"
  })
  void whatExactlyOnceRestsOnCannotBeSet(String name, String value) {
    try (KafkaSource<String> source = source(name, value)) {
      assertThatThrownBy(source::partitions)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("the setting " + name + " cannot be " + value + ": ");
    }
  }

  @Test
  void aGroupIsNamedByItsOwnSetting() {
    try (KafkaSource<String> source =
        KafkaSource.<String>of("127.0.0.1:1", "t", record -> null).with("group.id", "g")) {
      assertThatThrownBy(source::partitions)
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("KafkaSource.group");
    }
  }

  @Test
  void referencesAreReplaced() throws Exception {
    Path whole = Files.writeString(directory.resolve("whole"), "from file\n");
    Path properties = Files.writeString(directory.resolve("some.properties"), "a=b\nkey=of key\n");
    Settings settings =
        of(
            Map.of(
                "x", "${env:PASSWORD}",
                "y", "a ${file:" + whole + "} and ${file:" + properties + ":key}",
                "z", "${vault:left/to:kafka}"));
    assertThat(settings.map())
        .isEqualTo(
            Map.of(
                "x", "from $ \\1 env",
                "y", "a from file and of key",
                "z", "${vault:left/to:kafka}"));
  }

  @Test
  void aReferenceToNothingIsRefused() throws Exception {
    Path properties = Files.writeString(directory.resolve("p"), "a=hush\n");
    assertThatThrownBy(() -> of(Map.of("ssl.key.password", "${env:NONE}")))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("ssl.key.password")
        .hasMessageContaining("the environment variable NONE, which is not set");
    assertThatThrownBy(() -> of(Map.of("ssl.key.password", "${file:/no/such}")))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("/no/such")
        .hasMessageContaining("NoSuchFileException");
    assertThatThrownBy(() -> of(Map.of("ssl.key.password", "${file:" + properties + ":b}")))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("the property b of the file " + properties)
        .hasMessageNotContaining("hush");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "org.x.LoginModule required username=\"me\" password=\"s3cret\";",
        "org.x.LoginModule required username=me password='s3cret';",
        "org.x.LoginModule required clientSecret=s3cret;"
      })
  void aSecretIsTakenOutOfMessages(String jaas) {
    Settings settings = of(Map.of("sasl.jaas.config", jaas, "x", "${env:PASSWORD}"));
    Exception told = new IllegalStateException("bad s3cret here", new Exception("from $ \\1 env"));
    assertThat(settings.told(told)).isEqualTo("bad [hidden] here: [hidden]");
    assertThat(settings.cause(told)).isNull();
    assertThat(settings.cause(new IllegalStateException("fine"))).isNotNull();
    assertThat(settings.toString()).doesNotContain("s3cret", "env");
    assertThat(settings.hidden("me " + jaas)).doesNotContain("s3cret").contains("me ");
  }
}
