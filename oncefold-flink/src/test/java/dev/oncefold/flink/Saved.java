package dev.oncefold.flink;

import dev.oncefold.Counts;
import dev.oncefold.Fold;
import dev.oncefold.Slot;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.IntSerializer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.state.api.OperatorIdentifier;
import org.apache.flink.state.api.SavepointReader;
import org.apache.flink.state.api.functions.KeyedStateReaderFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/** What a checkpoint or savepoint holds, read without the job that wrote it. */
final class Saved {
  private static final Map<String, List<Found>> FOUND = new ConcurrentHashMap<>();

  private final String path;
  private final FlinkView view;

  /** What is stored of a key. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Found(String key, byte[] cell, int ids) {}

  /**
   * Slots and the ids beside them.
   *
   * @param slots by key
   * @param ids how many, by key
   */
  record Keys<S>(Map<String, Slot<S>> slots, Map<String, Integer> ids) {}

  Saved(String path) throws IOException {
    this.path = path;
    view = FlinkView.of(path);
  }

  String path() {
    return path;
  }

  /** Which it is of those of its job, and of the jobs before that. */
  long number() {
    return view.number();
  }

  /** How far each partition of the input of a whole job is applied. */
  Map<String, Long> positions(String name) throws IOException {
    Map<String, Long> positions = new HashMap<>();
    for (byte[] each : view.bytes(name + "-input", "SourceReaderState")) {
      KafkaPartitionSplit split =
          SimpleVersionedSerialization.readVersionAndDeSerialize(
              new KafkaPartitionSplitSerializer(), each);
      positions.put(
          FoldReader.name(split.getTopicPartition()), Math.max(0, split.getStartingOffset()));
    }
    return positions;
  }

  Counts counts(String name) throws IOException {
    return view.counts(name);
  }

  /** Reads the keyed state by a job that ends. */
  <S> Keys<S> keys(String name, Fold<S, ?, ?> fold, StateBackend backend) throws Exception {
    StreamExecutionEnvironment environment = MiniFlink.environment(1, 0);
    String run = UUID.randomUUID().toString();
    FOUND.put(run, new CopyOnWriteArrayList<>());
    SavepointReader.read(environment, path, backend)
        .readKeyedState(OperatorIdentifier.forUid(name), new Keeping(run), Types.STRING, Types.INT)
        .sinkTo(new DiscardingSink<>());
    Throwable failure = MiniFlink.failure(MiniFlink.submit(environment, null));
    List<Found> found = FOUND.remove(run);
    if (failure != null || found == null) {
      throw new IllegalStateException("the state of " + path + " cannot be read", failure);
    }
    Slots<S> form = new Slots<>(fold, view.head(name).definitions(), true);
    Map<String, Slot<S>> slots = new HashMap<>();
    Map<String, Integer> ids = new HashMap<>();
    for (Found each : found) {
      Slot<S> slot = form.open(new Cell<>(each.cell())).slot();
      if (slot != null) {
        slots.put(each.key(), slot);
      }
      if (each.ids() > 0) {
        ids.put(each.key(), each.ids());
      }
    }
    return new Keys<>(slots, ids);
  }

  private static final class Keeping extends KeyedStateReaderFunction<String, Integer> {
    private static final long serialVersionUID = 1;
    private final String run;
    private transient ValueState<Cell<Object>> slot;
    private transient MapState<Integer, byte[]> ids;

    @SuppressWarnings("NullAway.Init") // Flink calls open before anything else
    Keeping(String run) {
      this.run = run;
    }

    @Override
    public void open(org.apache.flink.api.common.functions.OpenContext context) {
      slot =
          getRuntimeContext()
              .getState(new ValueStateDescriptor<>(Judging.SLOT, new Cell.Serializer<>()));
      ids =
          getRuntimeContext()
              .getMapState(
                  new MapStateDescriptor<>(
                      Judging.IDS, IntSerializer.INSTANCE, new BytesSerializer.OfBytes()));
    }

    @Override
    public void readKey(String key, Context context, Collector<Integer> out) throws Exception {
      int remembered = 0;
      for (byte[] page : ids.values()) {
        IdPages.Ids each = new IdPages.Ids(page);
        while (each.next()) {
          remembered++;
        }
      }
      Cell<Object> cell = slot.value();
      if (cell == null) {
        throw new IllegalStateException(key + " has ids, and nothing that tells of them");
      }
      List<Found> found = FOUND.get(run);
      if (found != null) {
        found.add(new Found(key, cell.bytes(), remembered));
      }
    }
  }
}
