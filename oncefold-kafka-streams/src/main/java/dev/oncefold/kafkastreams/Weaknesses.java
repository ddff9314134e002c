package dev.oncefold.kafkastreams;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;

/**
 * What of a cluster weakens the promise of an application that runs on it. It is found in one place
 * and judged in another.
 *
 * @param brokers how many brokers there are
 * @param topics the topics of the application that exist, by name
 * @param missing topics that the application reads or writes, and that nobody makes for it
 * @param settings what of the brokers' own settings matters, of one of them
 * @param readers groups that read what the application writes, with the topics
 */
record Weaknesses(
    int brokers,
    Map<String, Topic> topics,
    Set<String> missing,
    Map<String, String> settings,
    Map<String, Set<String>> readers) {
  private static final String COPIES = "default.replication.factor";
  private static final String TRANSACTIONS = "transaction.state.log.replication.factor";
  private static final String TRANSACTIONS_IN_SYNC = "transaction.state.log.min.isr";

  /**
   * A topic.
   *
   * @param input whether the application reads events from it
   * @param copies how many replicas its partitions have, where they have the fewest
   * @param inSync how many of them must have a record before it is acknowledged
   * @param unclean whether a replica that lacks acknowledged records may become the leader
   * @param compacted whether older records of a key are deleted
   */
  record Topic(boolean input, int copies, int inSync, boolean unclean, boolean compacted) {}

  /**
   * Asks a cluster.
   *
   * @param input the topics that are read
   * @param written the topics that are written
   * @param own the topics that Kafka Streams makes
   * @param group the application's own group
   */
  static Weaknesses find(
      Admin admin,
      Collection<String> input,
      Collection<String> written,
      Collection<String> own,
      String group)
      throws ExecutionException, InterruptedException {
    Collection<Node> brokers = admin.describeCluster().nodes().get();
    Set<String> all = new TreeSet<>(input);
    all.addAll(written);
    all.addAll(own);
    all.retainAll(admin.listTopics().names().get());
    Map<String, Topic> topics = new TreeMap<>();
    Map<ConfigResource, Config> configs = configs(admin, all, brokers.iterator().next());
    for (TopicDescription found : admin.describeTopics(all).allTopicNames().get().values()) {
      Config config = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, found.name()));
      topics.put(
          found.name(),
          new Topic(
              input.contains(found.name()),
              found.partitions().stream().mapToInt(p -> p.replicas().size()).min().orElse(0),
              Integer.parseInt(value(config, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG)),
              Boolean.parseBoolean(
                  value(config, TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG)),
              value(config, TopicConfig.CLEANUP_POLICY_CONFIG).contains("compact")));
    }
    Set<String> missing = new TreeSet<>(input);
    missing.addAll(written);
    missing.removeAll(topics.keySet());
    Config broker =
        configs.get(
            new ConfigResource(ConfigResource.Type.BROKER, brokers.iterator().next().idString()));
    Map<String, String> settings = new LinkedHashMap<>();
    for (String name : new String[] {COPIES, TRANSACTIONS, TRANSACTIONS_IN_SYNC}) {
      settings.put(name, value(broker, name));
    }
    return new Weaknesses(
        brokers.size(), topics, missing, settings, readers(admin, written, group));
  }

  private static Map<ConfigResource, Config> configs(
      Admin admin, Collection<String> topics, Node broker)
      throws ExecutionException, InterruptedException {
    List<ConfigResource> asked = new ArrayList<>();
    topics.forEach(each -> asked.add(new ConfigResource(ConfigResource.Type.TOPIC, each)));
    asked.add(new ConfigResource(ConfigResource.Type.BROKER, broker.idString()));
    return admin.describeConfigs(asked).all().get();
  }

  private static String value(@Nullable Config config, String name) {
    ConfigEntry entry = config == null ? null : config.get(name);
    return entry == null || entry.value() == null ? "0" : entry.value();
  }

  private static Map<String, Set<String>> readers(
      Admin admin, Collection<String> written, String own)
      throws ExecutionException, InterruptedException {
    List<String> groups = new ArrayList<>();
    for (GroupListing each : admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get()) {
      if (!each.groupId().equals(own)) {
        groups.add(each.groupId());
      }
    }
    Map<String, Set<String>> readers = new TreeMap<>();
    for (ConsumerGroupDescription group :
        admin.describeConsumerGroups(groups).all().get().values()) {
      for (MemberDescription member : group.members()) {
        for (TopicPartition each : member.assignment().topicPartitions()) {
          if (written.contains(each.topic())) {
            readers.computeIfAbsent(group.groupId(), g -> new TreeSet<>()).add(each.topic());
          }
        }
      }
    }
    return readers;
  }

  /**
   * What is weak, a sentence each, the worst first.
   *
   * @param toBeMade topics that Kafka Streams is yet to make
   * @param copies how many replicas it is told to give them; below 1 for the brokers' own number
   */
  List<String> told(Collection<String> toBeMade, int copies) {
    List<String> told = new ArrayList<>();
    missing.forEach(
        each -> told.add("there is no topic " + each + ": make it before the application starts"));
    topics.forEach(
        (name, topic) -> {
          if (topic.unclean()) {
            told.add(
                name
                    + " has unclean.leader.election.enable=true: a replica that lacks acknowledged"
                    + " records may become the leader, and then they are gone, half of a transaction"
                    + " among them. Set it to false");
          }
          if (topic.input() && topic.compacted()) {
            told.add(
                name
                    + " has cleanup.policy=compact: an event is deleted once a later one has its key,"
                    + " whether it was applied or not. Set it to delete");
          }
        });
    if (brokers == 1) {
      told.add(
          "the cluster has one broker, and so each record has one copy: fine to try things, but what"
              + " that broker's disk loses is lost");
    } else {
      copies(toBeMade, copies, told);
    }
    readers.forEach(
        (group, read) ->
            told.add(
                "the group "
                    + group
                    + " reads "
                    + String.join(", ", read)
                    + ": its consumers need isolation.level=read_committed (the default is"
                    + " read_uncommitted, and Kafka does not tell which they have), or they see"
                    + " outputs of transactions that are given up"));
    return told;
  }

  private void copies(Collection<String> toBeMade, int copies, List<String> told) {
    Map<String, Integer> all = new TreeMap<>();
    topics.forEach((name, topic) -> all.put(name, topic.copies()));
    int made = copies > 0 ? copies : Integer.parseInt(setting(COPIES));
    toBeMade.forEach(name -> all.putIfAbsent(name, made));
    Map<String, String> states = new HashMap<>();
    all.forEach(
        (name, number) -> {
          if (number == 1) {
            states.merge("single", name, (a, b) -> a + ", " + b);
          } else if (topics.containsKey(name)
              && Objects.requireNonNull(topics.get(name)).inSync() < 2) {
            states.merge("unsynced", name, (a, b) -> a + ", " + b);
          }
        });
    if (states.containsKey("single")) {
      told.add(
          "of "
              + states.get("single")
              + " there is one replica: what its broker's disk loses is lost. Give them three, and"
              + " Kafka Streams replication.factor=3 for those that it makes");
    }
    if (states.containsKey("unsynced")) {
      told.add(
          "min.insync.replicas of "
              + states.get("unsynced")
              + " is 1: a record is acknowledged that no other broker may have yet, and is lost with"
              + " its leader. Set it to 2");
    }
    if (Integer.parseInt(setting(TRANSACTIONS)) < 2
        || Integer.parseInt(setting(TRANSACTIONS_IN_SYNC)) < 2) {
      told.add(
          "the brokers keep the log of transactions with "
              + TRANSACTIONS
              + "="
              + setting(TRANSACTIONS)
              + " and "
              + TRANSACTIONS_IN_SYNC
              + "="
              + setting(TRANSACTIONS_IN_SYNC)
              + ": a commit may be forgotten with one broker. Set them to 3 and 2");
    }
  }

  private String setting(String name) {
    return settings.getOrDefault(name, "0");
  }
}
