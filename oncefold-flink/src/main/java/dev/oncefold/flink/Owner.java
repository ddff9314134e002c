package dev.oncefold.flink;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Who runs under a name: whoever started last. Flink lets two jobs go on from one checkpoint, and
 * each would send everything. So a job notes its own number in the cluster when it starts, as a
 * remark beside an offset of a group of its own; and before it commits what it sent, it looks
 * whether another has come since. One that has been taken over from does not start again.
 *
 * @param settings of Kafka's clients
 * @param connecting connects to the cluster
 * @param name the name of the job
 * @param anchor a partition that exists, to which the remark belongs
 */
record Owner(Properties settings, Cluster.Connecting connecting, String name, Anchor anchor)
    implements Serializable {
  private static final long serialVersionUID = 1;
  // As many numbers as fit into what brokers store beside an offset.
  private static final int MOST = 60;

  /** A partition that can be serialized. */
  record Anchor(String topic, int partition) implements Serializable {
    private static final long serialVersionUID = 1;

    TopicPartition partitionOf() {
      return new TopicPartition(topic, partition);
    }
  }

  private String group() {
    return name + "-owner";
  }

  /** Whose note says that a job of this name has committed something. */
  static String sentGroup(String name) {
    return name + "-sent";
  }

  /**
   * Notes that something is committed under this name, before it is. The offsets of the input tell
   * so too, but Flink commits those without waiting: the first may never come.
   */
  void sends(Cluster cluster) {
    try {
      cluster.note(sentGroup(name), anchor.partitionOf(), "sent");
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw new IllegalStateException("that \"" + name + "\" commits cannot be noted", e);
    }
  }

  Cluster connect() {
    return connecting.connect(settings);
  }

  /** Takes over, or finds that it did before. */
  void take(String job) {
    try (Cluster cluster = connect()) {
      List<String> owners = owners(cluster);
      if (!owners.isEmpty() && owners.get(0).equals(job)) {
        return;
      }
      if (owners.contains(job)) {
        throw superseded(owners.get(0));
      }
      List<String> now = new ArrayList<>(owners);
      now.add(0, job);
      cluster.note(
          group(),
          anchor.partitionOf(),
          String.join(",", now.subList(0, Math.min(MOST, now.size()))));
    } catch (FlinkFoldException e) {
      throw e;
    } catch (Exception e) {
      throw failed(e);
    }
  }

  /** Throws where another has taken over. */
  void check(Cluster cluster, String job) {
    List<String> owners;
    try {
      owners = owners(cluster);
    } catch (Exception e) {
      throw failed(e);
    }
    if (!owners.isEmpty() && !owners.get(0).equals(job)) {
      throw superseded(owners.get(0));
    }
  }

  /** Whether what is refused to be committed is committed already. */
  boolean isCommitted(Cluster cluster, KafkaCommittable what) {
    try {
      return cluster.isCommitted(what.getTransactionalId(), what.getProducerId(), what.getEpoch());
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      throw new IllegalStateException(
          "whether " + what + " is committed already cannot be asked for", e);
    }
  }

  private List<String> owners(Cluster cluster) throws Exception {
    @Nullable String note = cluster.note(group(), anchor.partitionOf());
    return note == null || note.isEmpty() ? List.of() : List.of(note.split(",", -1));
  }

  private IllegalStateException failed(Exception e) {
    if (e instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
    return new IllegalStateException("who runs as \"" + name + "\" cannot be asked for", e);
  }

  private FlinkFoldException superseded(String other) {
    return new FlinkFoldException(
        "the job "
            + other
            + " was started under the name \""
            + name
            + "\" after this one, and has taken over: nothing more is sent from here. Cancel one"
            + " job before the next is started under its name");
  }
}
