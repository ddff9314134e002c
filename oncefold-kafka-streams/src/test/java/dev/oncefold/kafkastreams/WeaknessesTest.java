package dev.oncefold.kafkastreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.kafkastreams.Weaknesses.Topic;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is said of clusters, good and bad. */
class WeaknessesTest {
  private static final Topic INPUT = new Topic(true, 3, 2, false, false);
  private static final Topic OUTPUT = new Topic(false, 3, 2, false, false);
  private static final Topic CHANGELOG = new Topic(false, 3, 2, false, true);
  private static final Map<String, String> SETTINGS =
      Map.of(
          "default.replication.factor", "1",
          "transaction.state.log.replication.factor", "3",
          "transaction.state.log.min.isr", "2");

  private static List<String> told(Map<String, Topic> topics, Map<String, String> settings) {
    return new Weaknesses(3, topics, Set.of(), settings, Map.of()).told(List.of("log"), 3);
  }

  private static Map<String, Topic> topics(Topic input, Topic output, Topic changelog) {
    return Map.of("in", input, "out", output, "log", changelog);
  }

  @Test
  void nothingIsSaidOfAGoodCluster() {
    assertThat(told(topics(INPUT, OUTPUT, CHANGELOG), SETTINGS)).isEmpty();
  }

  @Test
  void eachWeaknessIsToldByItself() {
    assertThat(told(topics(INPUT, new Topic(false, 3, 2, true, false), CHANGELOG), SETTINGS))
        .singleElement()
        .asString()
        .startsWith("out has unclean.leader.election.enable=true");
    assertThat(told(topics(new Topic(true, 3, 2, false, true), OUTPUT, CHANGELOG), SETTINGS))
        .singleElement()
        .asString()
        .startsWith("in has cleanup.policy=compact");
    assertThat(told(topics(new Topic(true, 1, 1, false, false), OUTPUT, CHANGELOG), SETTINGS))
        .singleElement()
        .asString()
        .startsWith("of in there is one replica");
    assertThat(told(topics(INPUT, OUTPUT, new Topic(false, 3, 1, false, true)), SETTINGS))
        .singleElement()
        .asString()
        .startsWith("min.insync.replicas of log is 1");
    assertThat(
            told(
                topics(INPUT, OUTPUT, CHANGELOG),
                Map.of(
                    "transaction.state.log.replication.factor", "3",
                    "transaction.state.log.min.isr", "1")))
        .singleElement()
        .asString()
        .startsWith("the brokers keep the log of transactions with");
  }

  @Test
  void topicsThatAreYetToBeMadeAreJudgedByTheirSettings() {
    Map<String, Topic> without = Map.of("in", INPUT, "out", OUTPUT);
    Weaknesses found = new Weaknesses(3, without, Set.of("refused"), SETTINGS, Map.of());
    assertThat(found.told(List.of("log"), 3))
        .containsExactly("there is no topic refused: make it before the application starts");
    assertThat(found.told(List.of("log"), -1))
        .hasSize(2)
        .last()
        .asString()
        .startsWith("of log there is one replica");
  }

  @Test
  void oneBrokerIsToldOnceAndReadersByTheirGroups() {
    assertThat(
            new Weaknesses(
                    1,
                    topics(new Topic(true, 1, 1, false, false), OUTPUT, CHANGELOG),
                    Set.of(),
                    Map.of(),
                    Map.of("shop", Set.of("out")))
                .told(List.of("log"), -1))
        .hasSize(2)
        .satisfiesExactly(
            one -> assertThat(one).startsWith("the cluster has one broker"),
            two ->
                assertThat(two)
                    .startsWith("the group shop reads out: its consumers need")
                    .contains("isolation.level=read_committed"));
  }
}
