package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Properties;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who runs under a name, as the cluster remembers it. */
class OwnerTest {
  private String name = "";
  private String topic = "";

  @BeforeEach
  void topic() throws Exception {
    int place = Servers.get().place();
    name = "owned-" + place;
    topic = "input-" + place;
    Servers.get().topic(topic, 1);
  }

  private Owner owner() throws Exception {
    Properties settings = new Properties();
    settings.setProperty("bootstrap.servers", Servers.get().bootstrap());
    return new Owner(settings, KafkaCluster::new, name, new Owner.Anchor(topic, 0));
  }

  @Test
  void whoeverStartedLastMaySendAndTheOtherNeitherSendsNorComesBack() throws Exception {
    Owner owner = owner();
    try (Cluster cluster = owner.connect()) {
      owner.take("first");
      owner.take("first");
      assertThatCode(() -> owner.check(cluster, "first")).doesNotThrowAnyException();
      owner.take("second");
      assertThatThrownBy(() -> owner.check(cluster, "first"))
          .isInstanceOf(FlinkFoldException.class)
          .hasMessageContaining("second")
          .hasMessageContaining("has taken over");
      assertThatThrownBy(() -> owner.take("first")).hasMessageContaining("has taken over");
      assertThatCode(() -> owner.check(cluster, "second")).doesNotThrowAnyException();
    }
  }

  @Test
  void manyOwnersAreRememberedWithinWhatBrokersStore() throws Exception {
    Owner owner = owner();
    for (int i = 0; i < 62; i++) {
      owner.take("%032d".formatted(i));
    }
    assertThatThrownBy(() -> owner.take("%032d".formatted(60)))
        .hasMessageContaining("has taken over");
  }
}
