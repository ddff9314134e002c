package dev.oncefold.flink;

import dev.oncefold.Encoder;
import dev.oncefold.Slot;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.state.api.functions.KeyedStateReaderFunction;
import org.apache.flink.util.Collector;

/**
 * Reads the slots of a checkpoint.
 *
 * @param <S> the type of one key's state
 */
final class SlotReader<S> extends KeyedStateReaderFunction<String, Tuple2<String, byte[]>> {
  private static final long serialVersionUID = 1;

  private final FlinkFold<S, ?, ?> fold;
  private final byte[] head;
  private transient ValueState<Cell<S>> slot;
  private transient Slots<S> form;

  /**
   * A reader.
   *
   * @param head what the checkpoint has beside the keys
   */
  @SuppressWarnings("NullAway.Init") // Flink calls open before anything else
  SlotReader(FlinkFold<S, ?, ?> fold, Head head) {
    this.fold = fold;
    this.head = head.bytes();
  }

  @Override
  public void open(OpenContext context) {
    slot =
        getRuntimeContext()
            .getState(new ValueStateDescriptor<>(Judging.SLOT, new Cell.Serializer<>()));
    form = new Slots<>(fold.fold(), Head.read(head).definitions(), true);
  }

  @Override
  public void readKey(String key, Context context, Collector<Tuple2<String, byte[]>> out)
      throws Exception {
    Slot<S> found = form.open(slot.value()).slot();
    if (found != null) {
      Encoder bytes = new Encoder().writeUnsigned(found.version());
      fold.fold().stateCodec().encode(found.state(), bytes);
      out.collect(Tuple2.of(key, bytes.toByteArray()));
    }
  }
}
