package dev.oncefold.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/**
 * What took the processors, in nanoseconds since each began: the threads of this process, and the
 * processes it has started. Unlike a rate it says the same on a machine that others use too.
 */
final class CpuTime {
  private final Map<String, Long> nanos = new TreeMap<>();

  private CpuTime() {}

  static CpuTime now() {
    CpuTime now = new CpuTime();
    long all = ProcessHandle.current().info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    for (long id : threads.getAllThreadIds()) {
      var thread = threads.getThreadInfo(id);
      long used = threads.getThreadCpuTime(id);
      if (thread != null && used > 0) {
        now.add(named(thread.getThreadName()), used);
        all -= used;
      }
    }
    now.add("collector, compiler, native code", all); // RocksDB's threads are among these
    ProcessHandle.current()
        .descendants()
        .forEach(
            process ->
                now.add(
                    named(process.info()),
                    process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L)));
    return now;
  }

  private void add(String name, long used) {
    nanos.merge(name, used, Long::sum);
  }

  private static String named(String thread) {
    if (thread.startsWith("kafka-producer")) {
      return "producer's thread";
    }
    if (thread.contains("-StreamThread-")) {
      return "stream threads";
    }
    return thread.startsWith("oncefold") ? thread.replaceFirst("-bench-.*", "") : "other threads";
  }

  private static String named(ProcessHandle.Info process) {
    // The broker is the one of them that runs on Java, but for Kafka Connect.
    String command = process.command().orElse("");
    return command.endsWith("java")
        ? "broker"
        : command.contains("postgres") ? "database" : "other";
  }

  /** What each has used since, per event, longest first. */
  String since(CpuTime before, long events) {
    StringBuilder text = new StringBuilder();
    long[] sum = {0};
    nanos.entrySet().stream()
        .map(e -> Map.entry(e.getKey(), e.getValue() - before.nanos.getOrDefault(e.getKey(), 0L)))
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .forEach(
            e -> {
              sum[0] += e.getValue();
              double micros = e.getValue() / 1e3 / events;
              if (micros >= 0.05) {
                text.append("  %s %.1f".formatted(e.getKey(), micros));
              }
            });
    return "%.1f µs of CPU an event:%s".formatted(sum[0] / 1e3 / events, text);
  }
}
