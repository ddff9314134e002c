package dev.oncefold.kafkastreams;

import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Output;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/**
 * The same rules in a plain application that processes at least once, written as one would: state
 * in a store, outputs sent on. It writes in the form of the fold's changelog, so that the same rig
 * and the same onlooker see it.
 */
final class PlainWorker {
  private PlainWorker() {}

  /**
   * Works until it is killed.
   *
   * @param args as for the fold; it does not use the beacon
   */
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.putAll(CrashWorker.settings(args));
    settings.put("processing.guarantee", "at_least_once");
    settings.put("commit.interval.ms", "1000");
    settings.put("auto.offset.reset", "earliest");
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore(Moves.NAME), Serdes.Bytes(), Serdes.ByteArray()));
    var sent =
        builder.stream(CrashWorker.INPUT, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
            .process(Plain::new, Moves.NAME);
    sent.filter((key, value) -> value.length() > 1)
        .to(CrashWorker.OUTPUTS, Produced.with(Serdes.String(), Serdes.String()));
    sent.filter((key, value) -> value.length() == 1)
        .to(CrashWorker.REFUSALS, Produced.with(Serdes.String(), Serdes.String()));
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
      streams.start();
      Thread.currentThread().join();
    }
  }

  private static final class Plain implements Processor<byte[], byte[], String, String> {
    private static final Bytes DEFINITION =
        Bytes.wrap(ByteBuffer.allocate(5).put((byte) 'D').putInt(1).array());
    private static final Bytes HEAD = Bytes.wrap(new byte[] {'H'});

    private final Fold<Trace, Move, String> fold = Moves.withoutIds();
    private final Kernel<Trace, Move, String> kernel = new Kernel<>(fold);
    private @Nullable ProcessorContext<String, String> context;
    private @Nullable KeyValueStore<Bytes, byte[]> store;

    @Override
    public void init(ProcessorContext<String, String> begun) {
      context = begun;
      store = begun.getStateStore(Moves.NAME);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      KeyValueStore<Bytes, byte[]> books = store;
      ProcessorContext<String, String> out = context;
      if (books == null || out == null) {
        throw new IllegalStateException("not begun");
      }
      if (books.get(DEFINITION) == null) {
        books.put(DEFINITION, Definition.of(fold, 1, 2).bytes());
      }
      RecordMetadata where = out.recordMetadata().orElseThrow();
      String id = where.topic() + "-" + where.partition() + "@" + where.offset();
      Event<Move> event = null;
      Verdict<Trace, String> verdict;
      try {
        event = Moves.read(consumed(record, where));
        verdict =
            kernel.judge(
                event,
                key -> slot(books, key),
                (key, any) -> null,
                Kernel.NO_FLOOR,
                Kernel.NO_LIMIT);
        id = String.valueOf(event.id());
      } catch (RuntimeException e) {
        verdict = new Verdict.Failed<>(Verdict.Cause.UNDECODABLE, String.valueOf(e.getMessage()));
      }
      if (verdict instanceof Verdict.Applied<Trace, String> applied && event != null) {
        Slot<Trace> before = slot(books, event.key());
        Trace after = applied.state();
        if (after != null) {
          Encoder slot = new Encoder();
          slot.writeUnsigned(1).writeUnsigned(before == null ? 1 : before.version() + 1);
          fold.stateCodec().encode(after, slot);
          books.put(Bytes.wrap(Memory.slotKey(event.key())), slot.toByteArray());
        }
        Output<String> output = applied.outputs().get(0);
        send(out, event.key(), Output.id(fold.name(), event.key(), id, 0), output.value());
      } else {
        String letter = String.valueOf(Letters.of(verdict.kind()));
        send(out, event == null ? "" : event.key(), id, letter);
      }
      books.put(HEAD, head(books, verdict, where).bytes());
    }

    private static Head head(
        KeyValueStore<Bytes, byte[]> books, Verdict<Trace, String> verdict, RecordMetadata where) {
      byte[] stored = books.get(HEAD);
      Head head = stored == null ? Head.NONE : Head.read(new Decoder(stored));
      Counts.Tally tally = new Counts.Tally();
      tally.reset(head.counts());
      tally.add(verdict);
      Map<String, Head.Input> inputs = new HashMap<>();
      inputs.put(
          "plain/" + where.partition(),
          new Head.Input(where.topic(), where.partition(), where.offset(), 0, Kernel.NO_FLOOR));
      return new Head(tally.counts(), Kernel.NO_FLOOR, inputs);
    }

    private @Nullable Slot<Trace> slot(KeyValueStore<Bytes, byte[]> books, String key) {
      byte[] stored = books.get(Bytes.wrap(Memory.slotKey(key)));
      if (stored == null) {
        return null;
      }
      Decoder in = new Decoder(stored);
      in.readUnsigned();
      long version = in.readUnsigned();
      return new Slot<>(fold.stateCodec().decode(in), version);
    }

    private static void send(
        ProcessorContext<String, String> out, String key, String id, String value) {
      RecordHeaders headers = new RecordHeaders();
      headers.add(StreamsFold.ID, CrashWorker.bytes(id));
      out.forward(new Record<>(key, value, 0, headers));
    }

    private static ConsumerRecord<byte[], byte[]> consumed(
        Record<byte[], byte[]> record, RecordMetadata where) {
      ConsumerRecord<byte[], byte[]> consumed =
          new ConsumerRecord<>(
              where.topic(), where.partition(), where.offset(), record.key(), record.value());
      record.headers().forEach(consumed.headers()::add);
      return consumed;
    }
  }
}
