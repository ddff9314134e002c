package dev.oncefold.flink;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Topics as events: Flink's own source of Kafka, which reads nothing twice and skips nothing. It
 * refuses to begin anew what has run before, and to go on from another checkpoint than the last: a
 * group's offsets, which are committed behind each checkpoint, tell, and the note of who commits
 * first.
 *
 * @param <E> the type of the events' values
 */
final class FoldSource<E>
    implements Source<Arrived<E>, KafkaPartitionSplit, KafkaSourceEnumState>,
        ResultTypeQueryable<Arrived<E>> {
  private static final long serialVersionUID = 1;

  private final Inlet<E> inlet;
  private final Owner.Anchor anchor;
  private final KafkaSource<Arrived<E>> kafka;

  FoldSource(
      Inlet<E> inlet, List<String> topics, Reading<ConsumerRecord<byte[], byte[]>, E> reading) {
    this.inlet = inlet;
    this.anchor = new Owner.Anchor(topics.get(0), 0);
    this.kafka =
        KafkaSource.<Arrived<E>>builder()
            .setProperties(inlet.settings())
            .setTopics(topics)
            .setStartingOffsets(new Beginning())
            .setDeserializer(new Decoding<>(inlet.plan(), reading))
            .build();
  }

  /** From the beginning, and never from where a position that is lost would be reset to. */
  @SuppressWarnings("deprecation") // the connector's interface names Kafka's class of old
  private static final class Beginning implements OffsetsInitializer {
    private static final long serialVersionUID = 1;

    @Override
    public Map<TopicPartition, Long> getPartitionOffsets(
        Collection<TopicPartition> partitions, PartitionOffsetsRetriever retriever) {
      return partitions.stream()
          .collect(Collectors.toMap(each -> each, each -> KafkaPartitionSplit.EARLIEST_OFFSET));
    }

    @Override
    public OffsetResetStrategy getAutoOffsetResetStrategy() {
      return OffsetResetStrategy.NONE;
    }
  }

  /** Makes an event of each record, or notes why none. */
  private static final class Decoding<E> implements KafkaRecordDeserializationSchema<Arrived<E>> {
    private static final long serialVersionUID = 1;
    private final FlinkFold<?, E, ?> plan;
    private final Reading<ConsumerRecord<byte[], byte[]>, E> reading;
    private transient @Nullable String topic;
    private transient int partition;
    private transient @Nullable String name;

    Decoding(FlinkFold<?, E, ?> plan, Reading<ConsumerRecord<byte[], byte[]>, E> reading) {
      this.plan = plan;
      this.reading = reading;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Arrived<E>> out)
        throws IOException {
      Origin origin = new Origin(name(record), record.offset());
      Arrived<E> arrived;
      try {
        arrived = Numbering.read(reading, record, origin, record.value());
      } catch (IOException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IOException(origin.id() + " cannot be read now", e);
      }
      out.collect(arrived == null ? Arrived.nothing(origin) : arrived);
    }

    /** The same text for all records that come together. */
    private String name(ConsumerRecord<byte[], byte[]> record) {
      String known = name;
      if (known == null || partition != record.partition() || !record.topic().equals(topic)) {
        topic = record.topic();
        partition = record.partition();
        known = FoldReader.name(new TopicPartition(record.topic(), record.partition()));
        name = known;
      }
      return known;
    }

    @Override
    public TypeInformation<Arrived<E>> getProducedType() {
      return plan.arrivedType();
    }
  }

  @Override
  public Boundedness getBoundedness() {
    return kafka.getBoundedness();
  }

  @Override
  public SourceReader<Arrived<E>, KafkaPartitionSplit> createReader(SourceReaderContext context)
      throws Exception {
    return new FoldReader<>(inlet, kafka.createReader(context));
  }

  /** Asked where there is no checkpoint to go on from. */
  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context) throws Exception {
    Map<String, Long> before = new TreeMap<>();
    boolean sent;
    try (Cluster cluster = inlet.connect()) {
      cluster.committed(inlet.group()).forEach((each, at) -> before.put(each.toString(), at));
      sent = cluster.note(Owner.sentGroup(inlet.group()), anchor.partitionOf()) != null;
    }
    if (sent || !before.isEmpty()) {
      throw new FlinkFoldException(
          "the job \""
              + inlet.group()
              + "\" has run before, "
              + (before.isEmpty() ? "and has sent outputs" : "up to " + before)
              + ", and is started without its state: what it has applied and sent would be applied"
              + " and sent again. Start it from its last checkpoint or savepoint"
              + " (execution.state-recovery.path, flink run -s); or to begin anew, give it another"
              + " name, or delete the groups \""
              + inlet.group()
              + "\" and \""
              + Owner.sentGroup(inlet.group())
              + "\" and its outputs");
    }
    return kafka.createEnumerator(context);
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState checkpoint)
      throws Exception {
    return kafka.restoreEnumerator(context, checkpoint);
  }

  @Override
  public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
    return kafka.getSplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
    return kafka.getEnumeratorCheckpointSerializer();
  }

  @Override
  public TypeInformation<Arrived<E>> getProducedType() {
    return inlet.plan().arrivedType();
  }
}
