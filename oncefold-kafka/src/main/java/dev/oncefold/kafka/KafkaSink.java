package dev.oncefold.kafka;

import dev.oncefold.FencedException;
import dev.oncefold.Sink;
import dev.oncefold.SinkException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Outputs and refusals as messages in Kafka topics, each exactly once for readers of committed
 * messages ({@code isolation.level=read_committed}).
 *
 * <pre>{@code
 * KafkaSink.of("localhost:9092", "accounts")
 *     .output("receipts", "account-receipts")
 *     .refusals("account-refusals");
 * }</pre>
 *
 * <p>A message has the key of the event, so that messages of one key stay in order; the id of the
 * output, which is unique for ever, in the header {@code oncefold-id}; and the encoded value. What
 * is written together, and the position after it, is one transaction of Kafka's. The position
 * stands in a topic of the sink's own, {@code NAME-positions}, which is compacted, has one
 * partition, and is made if absent; a lane's is under {@code NAME/LANE}. The transactional id is
 * {@code oncefold-NAME/LANE}: who opens a lane fences whoever had it open.
 *
 * <p>Two sinks of one name in one cluster are one sink.
 */
public final class KafkaSink implements Sink {
  /** The header with the id of a message. */
  public static final String ID = "oncefold-id";

  // What a record and its batch have beside key, value and the header: 61 + 21 bytes, and lengths.
  private static final int AROUND = 128 + ID.length();
  private static final String SERIALIZER = ByteArraySerializer.class.getName();

  private final Plan plan;
  private final Set<KafkaLane> lanes = new HashSet<>();
  // What each topic takes, once the topics were looked at; guarded by this.
  private @Nullable Map<String, Long> topicLimits;
  private boolean closed;

  /** What the user wants. */
  record Plan(
      String bootstrap,
      String name,
      Map<String, String> outputs,
      @Nullable String refusals,
      String positions,
      Map<String, String> properties) {
    /** Without the properties: there may be secrets among them. */
    @Override
    public String toString() {
      return "the sink \"" + name + "\" at " + bootstrap;
    }

    /** Stands for a lane of this sink, and of no other. */
    String key(String lane) {
      return name.replace("%", "%25").replace("/", "%2F") + '/' + lane;
    }

    /** The topic of an output, or of the refusals for null; null where it has none. */
    @Nullable String topic(@Nullable String output) {
      return output == null ? refusals : outputs.get(output);
    }
  }

  private KafkaSink(Plan plan) {
    this.plan = plan;
  }

  /**
   * A sink without topics yet. It speaks to the cluster when a lane is opened.
   *
   * @param bootstrap where to find the cluster: {@code host:port}, several with commas
   * @param name the sink's name, which identifies it in the cluster for ever
   * @return the sink
   */
  public static KafkaSink of(String bootstrap, String name) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("a sink needs a name");
    }
    return new KafkaSink(new Plan(bootstrap, name, Map.of(), null, name + "-positions", Map.of()));
  }

  /**
   * The same sink, with a topic for the outputs of one name.
   *
   * @param output the outputs' name
   * @param topic the topic, which exists
   * @return a new sink
   */
  public KafkaSink output(String output, String topic) {
    Map<String, String> outputs = new HashMap<>(plan.outputs);
    outputs.put(output, topic);
    return new KafkaSink(
        new Plan(
            plan.bootstrap,
            plan.name,
            Map.copyOf(outputs),
            plan.refusals,
            plan.positions,
            plan.properties));
  }

  /**
   * The same sink, with a topic for refusals.
   *
   * @param topic the topic, which exists
   * @return a new sink
   */
  public KafkaSink refusals(String topic) {
    return new KafkaSink(
        new Plan(plan.bootstrap, plan.name, plan.outputs, topic, plan.positions, plan.properties));
  }

  /**
   * The same sink with another topic for its positions.
   *
   * @param topic the topic; several sinks of different names may share it
   * @return a new sink
   */
  public KafkaSink positions(String topic) {
    return new KafkaSink(
        new Plan(plan.bootstrap, plan.name, plan.outputs, plan.refusals, topic, plan.properties));
  }

  /**
   * The same sink with properties of Kafka's clients, in which {@code ${env:NAME}}, {@code
   * ${file:/path}} and {@code ${file:/path:name}} are replaced as for {@link KafkaSource#with}.
   * Settings on which exactly-once rests cannot be set otherwise: {@code acks}, {@code
   * enable.idempotence}, {@code transactional.id}.
   *
   * @param properties by their names, as Kafka documents them
   * @return a new sink
   */
  public KafkaSink with(Map<String, String> properties) {
    Map<String, String> all = new HashMap<>(plan.properties);
    all.putAll(properties);
    return new KafkaSink(
        new Plan(
            plan.bootstrap,
            plan.name,
            plan.outputs,
            plan.refusals,
            plan.positions,
            Map.copyOf(all)));
  }

  @Override
  public boolean takes(@Nullable String output) {
    return plan.topic(output) != null;
  }

  /**
   * The least of what the topic takes ({@code max.message.bytes}) and what the producer sends
   * ({@code max.request.size}), without what Kafka puts around a message; before compression. The
   * cluster is asked once, and the topics are looked at.
   *
   * @param output the output's name; null for refusals
   * @return the limit
   * @throws SinkException as {@link #open}
   */
  @Override
  public Limit limit(@Nullable String output) {
    String topic = plan.topic(output);
    if (topic == null) {
      return Limit.NONE;
    }
    Settings settings = settings(plan, "");
    try {
      Map<String, Object> parsed = ProducerConfig.configDef().parse(settings.map());
      long sent = (int) Objects.requireNonNull(parsed.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG));
      long taken = prepare(settings).getOrDefault(topic, Long.MAX_VALUE);
      return taken < sent
          ? new Limit(taken - AROUND, "max.message.bytes of the topic \"" + topic + "\"")
          : new Limit(sent - AROUND, "max.request.size of " + plan);
    } catch (RuntimeException e) {
      throw failed(plan + " cannot be opened: ", settings, e);
    }
  }

  /**
   * Takes a lane over: whoever had it open before is fenced, what it left unfinished is aborted,
   * and the position is read.
   *
   * @param lane the lane's name
   * @return the lane
   * @throws SinkException if a topic is missing or is not as it must be, the cluster does not
   *     answer, or a property cannot stand
   */
  @Override
  public Lane open(String lane) {
    Settings settings = settings(plan, lane);
    Producer<byte[], byte[]> producer = null;
    try {
      prepare(settings);
      producer = new KafkaProducer<>(settings.map());
      producer.initTransactions();
      long position = new Positions(plan).read(settings, plan.key(lane));
      KafkaLane open = new KafkaLane(plan, settings, lane, producer, position, this::closed);
      synchronized (this) {
        lanes.add(open);
      }
      return open;
    } catch (RuntimeException e) {
      if (producer != null) {
        producer.close(java.time.Duration.ZERO);
      }
      throw failed(plan + " cannot be opened: ", settings, e);
    }
  }

  private void closed(KafkaLane lane) {
    synchronized (this) {
      lanes.remove(lane);
    }
  }

  /** Looks at the topics, once; answers how large messages each takes. */
  private synchronized Map<String, Long> prepare(Settings settings) {
    if (closed) {
      throw new SinkException(plan + " is closed");
    }
    if (topicLimits != null) {
      return topicLimits;
    }
    Map<String, Long> limits = new HashMap<>();
    String about = "";
    try (Admin admin = Clients.admin(settings)) {
      Set<String> topics = new HashSet<>(plan.outputs.values());
      if (plan.refusals != null) {
        topics.add(plan.refusals);
      }
      for (String topic : topics) {
        about = "its topic \"" + topic + "\": ";
        Clients.known(() -> admin.describeTopics(List.of(topic)).allTopicNames());
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Config config =
            Objects.requireNonNull(
                Clients.known(() -> admin.describeConfigs(List.of(resource)).all()).get(resource));
        limits.put(topic, Long.valueOf(config.get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG).value()));
      }
      about = "its topic for positions, \"" + plan.positions + "\": ";
      new Positions(plan).prepare(admin);
      topicLimits = limits;
      return limits;
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    } catch (ExecutionException e) {
      throw failed(
          plan + " cannot be opened: " + about, settings, e.getCause() == null ? e : e.getCause());
    }
  }

  private static Settings settings(Plan plan, String lane) {
    Settings settings =
        new Settings(plan.properties, System::getenv, SinkException::new)
            .force("bootstrap.servers", plan.bootstrap, "the sink names the cluster")
            .force("acks", "all", "what is acknowledged must outlive a broker")
            .force("enable.idempotence", "true", "a message sent again must not be there twice")
            .force(
                "transactional.id",
                "oncefold-" + plan.key(lane),
                "it is made of the names of the sink and the lane")
            .force("key.serializer", SERIALIZER, "a message is bytes already")
            .force("value.serializer", SERIALIZER, "a message is bytes already")
            // A writer that stands still in a transaction keeps readers waiting for so long.
            .preset("transaction.timeout.ms", "30000")
            .preset("delivery.timeout.ms", "30000")
            .preset("request.timeout.ms", "15000")
            .preset("max.block.ms", "30000")
            // Each transaction brings all its messages at once: fewer, larger requests.
            .preset("batch.size", "262144");
    return settings;
  }

  /** An exception of Kafka's in words for a person. */
  static RuntimeException failed(String what, Settings settings, Throwable e) {
    if (e instanceof SinkException told) {
      return told;
    }
    for (Throwable each = e; each != null; each = each.getCause()) {
      if (each instanceof ProducerFencedException
          || each instanceof InvalidProducerEpochException) {
        return new FencedException(
            what + "somebody else has opened the lane since, or it stood still for too long");
      }
    }
    if (e instanceof InterruptException) {
      Thread.currentThread().interrupt();
    } else if (!(e instanceof KafkaException) && e instanceof RuntimeException own) {
      return own;
    }
    String advice =
        e instanceof AuthorizationException
            ? ". The user needs the rights WRITE, DESCRIBE and DESCRIBE_CONFIGS on the topics of"
                + " the sink, WRITE and DESCRIBE on its transactional ids, and READ, WRITE,"
                + " CREATE, DESCRIBE and DESCRIBE_CONFIGS on its topic for positions"
            : Clients.advice(e);
    String message = what + settings.told(e) + advice;
    Throwable cause = settings.cause(e);
    return cause == null ? new SinkException(message) : new SinkException(message, cause);
  }

  /** Closes all lanes. */
  @Override
  public void close() {
    List<KafkaLane> open;
    synchronized (this) {
      closed = true;
      open = List.copyOf(lanes);
    }
    open.forEach(KafkaLane::close);
  }

  /** The sink's name and where it is. */
  @Override
  public String toString() {
    return plan.toString();
  }
}
