package dev.oncefold.flink;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.source.legacy.SourceFunction;
import org.apache.flink.streaming.api.watermark.Watermark;

/**
 * Lines that a test adds, to a job in the same process that can go back. A line that begins with @
 * is a watermark.
 */
@SuppressWarnings("deprecation") // a source of a few lines is all that is wanted
final class Lines implements SourceFunction<String>, CheckpointedFunction {
  private static final long serialVersionUID = 1;
  private static final Map<String, List<String>> ALL = new ConcurrentHashMap<>();

  private final String name;
  private volatile boolean over;
  private transient ListState<Integer> stored;
  private transient int next;

  @SuppressWarnings("NullAway.Init") // Flink calls initializeState before anything else
  Lines(String name) {
    this.name = name;
  }

  static void add(String name, String... lines) {
    of(name).addAll(List.of(lines));
  }

  private static List<String> of(String name) {
    return ALL.computeIfAbsent(name, each -> new CopyOnWriteArrayList<>());
  }

  @Override
  public void initializeState(FunctionInitializationContext context) throws Exception {
    stored =
        context.getOperatorStateStore().getListState(new ListStateDescriptor<>("next", Types.INT));
    next = 0;
    for (int each : stored.get()) {
      next = each;
    }
  }

  @Override
  public void snapshotState(FunctionSnapshotContext context) throws Exception {
    stored.update(List.of(next));
  }

  @Override
  @SuppressWarnings("BusyWait") // for lines; nothing waits for that
  public void run(SourceContext<String> context) throws Exception {
    List<String> lines = of(name);
    while (!over) {
      if (next == lines.size()) {
        Thread.sleep(1);
        continue;
      }
      synchronized (context.getCheckpointLock()) {
        String line = lines.get(next++);
        if (line.startsWith("@")) {
          context.emitWatermark(new Watermark(Long.parseLong(line.substring(1))));
        } else {
          context.collect(line);
        }
      }
    }
  }

  @Override
  public void cancel() {
    over = true;
  }
}
