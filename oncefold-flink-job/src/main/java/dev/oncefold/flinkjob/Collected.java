package dev.oncefold.flinkjob;

import java.io.Serializable;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.api.java.tuple.Tuple2;

/** What a job of this process has found: its plan is copied, and so what it fills is kept here. */
final class Collected implements AutoCloseable {
  private static final Map<String, Map<String, byte[]>> FOUND = new ConcurrentHashMap<>();

  private final String name = UUID.randomUUID().toString();
  private final Map<String, byte[]> found = new ConcurrentHashMap<>();

  Collected() {
    FOUND.put(name, found);
  }

  Sink<Tuple2<String, byte[]>> sink() {
    return new Into(name);
  }

  Map<String, byte[]> all() {
    return found;
  }

  @Override
  public void close() {
    FOUND.remove(name);
  }

  /** Puts what comes where it is looked for. */
  private record Into(String name) implements Sink<Tuple2<String, byte[]>>, Serializable {
    private static final long serialVersionUID = 1;

    @Override
    public SinkWriter<Tuple2<String, byte[]>> createWriter(WriterInitContext context) {
      Map<String, byte[]> to = Objects.requireNonNull(FOUND.get(name));
      return new SinkWriter<>() {
        @Override
        public void write(Tuple2<String, byte[]> each, Context where) {
          to.put(each.f0, each.f1);
        }

        @Override
        public void flush(boolean end) {}

        @Override
        public void close() {}
      };
    }
  }
}
