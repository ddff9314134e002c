package dev.oncefold.journal;

import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Some partitions of a workload, which become readable little by little. */
final class SimSource implements Source<SimFold.Op> {
  /** Told of what the runner reads. */
  interface Observer {
    void polled(Polled<SimFold.Op> polled);

    void nothing(SimSource source);

    void seek(String partition, Position position);
  }

  private final SimWorkload workload;
  private final List<Integer> partitions;
  private final int[] readable;
  private final Random random;
  private final int most;
  private final Observer observer;
  private final Map<Integer, Integer> next = new HashMap<>();

  /**
   * A source.
   *
   * @param readable how many events of each partition can be read by now; shared, and it grows
   */
  SimSource(
      SimWorkload workload,
      List<Integer> partitions,
      int[] readable,
      Random random,
      int most,
      Observer observer) {
    this.workload = workload;
    this.partitions = partitions;
    this.readable = readable;
    this.random = random;
    this.most = most;
    this.observer = observer;
  }

  static String name(int partition) {
    return "p" + partition;
  }

  @Override
  public List<String> partitions() {
    return partitions.stream().map(SimSource::name).toList();
  }

  @Override
  public void seek(String partition, Position position) {
    int number = Integer.parseInt(partition.substring(1));
    observer.seek(partition, position);
    next.put(number, (int) position.offset());
  }

  @Override
  public @Nullable Polled<SimFold.Op> poll(int max, Duration wait) {
    List<Integer> ready = new ArrayList<>();
    for (int partition : partitions) {
      if (next.getOrDefault(partition, 0) < readable[partition]) {
        ready.add(partition);
      }
    }
    if (ready.isEmpty()) {
      observer.nothing(this);
      return null;
    }
    int partition = ready.get(random.nextInt(ready.size()));
    int from = next.getOrDefault(partition, 0);
    int to = Math.min(readable[partition], from + 1 + random.nextInt(Math.min(max, most)));
    List<Received<SimFold.Op>> events = workload.partitions.get(partition).subList(from, to);
    next.put(partition, to);
    Polled<SimFold.Op> polled =
        new Polled<>(
            name(partition),
            SimWorkload.position(partition, from),
            events,
            to < readable[partition]);
    observer.polled(polled);
    return polled;
  }

  @Override
  public boolean ended() {
    return partitions.stream()
        .allMatch(p -> next.getOrDefault(p, 0) == workload.partitions.get(p).size());
  }

  @Override
  public void close() {}
}
