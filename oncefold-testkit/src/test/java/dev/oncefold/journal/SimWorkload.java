package dev.oncefold.journal;

import dev.oncefold.Event;
import dev.oncefold.Position;
import dev.oncefold.Received;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** The input of a run: some partitions full of events, and events to be submitted. */
final class SimWorkload {
  static final long BEGIN = 1_700_000_000_000L;
  static final Duration SPAN = Duration.ofMinutes(40);

  final List<List<Received<SimFold.Op>>> partitions = new ArrayList<>();
  final List<Event<SimFold.Op>> submissions = new ArrayList<>();
  final int events;
  int resends;
  long end = BEGIN;
  private final List<Event<SimFold.Op>> sent = new ArrayList<>();
  private final Random random;
  private final int keys;
  private final int padding;

  SimWorkload(Random random, int partitionCount, int events) {
    this.random = random;
    this.events = events;
    this.keys = 2 + random.nextInt(12);
    this.padding = List.of(0, 40, 3000, 12_000, 12_000).get(random.nextInt(5));
    // About a tenth of the span between two events, so that most runs cover several spans.
    long pace = SPAN.toMillis() * (1 + random.nextInt(4)) / 20;
    for (int i = 0; i < partitionCount; i++) {
      partitions.add(new ArrayList<>());
    }
    for (int i = 0; i < events; i++) {
      end += (long) (random.nextDouble() * pace);
      int to = random.nextInt(partitionCount + 1);
      Event<SimFold.Op> event = event(i);
      if (to == partitionCount) {
        submissions.add(event);
        continue;
      }
      List<Received<SimFold.Op>> partition = partitions.get(to);
      int offset = partition.size();
      Position next = position(to, offset + 1);
      if (random.nextInt(40) == 0) {
        byte[] raw = ("?" + i).getBytes(StandardCharsets.US_ASCII);
        partition.add(Received.undecodable(offset, next, "no event", raw));
      } else {
        partition.add(Received.of(offset, next, event));
      }
    }
  }

  /** Each position carries a check, so that one of another partition is told apart. */
  static Position position(int partition, long offset) {
    return offset == 0 ? Position.START : new Position(offset, offset * 31 + partition);
  }

  private Event<SimFold.Op> event(int number) {
    if (!sent.isEmpty() && random.nextInt(8) == 0) {
      resends++;
      // Just now, a while ago, or long ago.
      int back = 1 + random.nextInt(List.of(3, 20, sent.size()).get(random.nextInt(3)));
      Event<SimFold.Op> first = sent.get(Math.max(0, sent.size() - back));
      if (random.nextInt(4) == 0) {
        SimFold.Op op = first.value();
        SimFold.Op other =
            new SimFold.Op(op.kind(), op.amount() + 1, op.other(), number, op.padding());
        return new Event<>(first.id(), first.key(), first.time(), other);
      }
      return first;
    }
    Event<SimFold.Op> event = new Event<>(id(number), key(), time(), op(number));
    sent.add(event);
    return event;
  }

  private String key() {
    // One key is hot.
    return "k" + (random.nextInt(3) == 0 ? 0 : random.nextInt(keys));
  }

  private @Nullable String id(int number) {
    // Ids are unique within a key only, so some are shared between keys.
    return random.nextInt(15) == 0 ? null : "e" + (random.nextInt(10) == 0 ? number / 8 : number);
  }

  private @Nullable Instant time() {
    long late =
        switch (random.nextInt(20)) {
          case 0 -> SPAN.toMillis() * 3; // beyond the horizon
          case 1 -> -SPAN.toMillis() * 20; // ahead of every clock
          case 2, 3, 4 -> random.nextInt((int) SPAN.toMillis());
          default -> random.nextInt((int) SPAN.toMillis() / 20);
        };
    return random.nextInt(40) == 0 ? null : Instant.ofEpochMilli(end - late);
  }

  private SimFold.Op op(int number) {
    SimFold.Kind kind =
        switch (random.nextInt(30)) {
          case 0 -> SimFold.Kind.THROW;
          case 1 -> SimFold.Kind.UNSTORABLE;
          case 2, 3 -> SimFold.Kind.DELETE;
          case 4, 5, 6, 7, 8 -> SimFold.Kind.TRANSFER;
          default -> SimFold.Kind.ADD;
        };
    int amount = random.nextInt(6) == 0 ? -10 - random.nextInt(60) : random.nextInt(20);
    int longer = padding == 0 ? 0 : random.nextInt(padding);
    return new SimFold.Op(kind, amount, kind == SimFold.Kind.TRANSFER ? key() : "", number, longer);
  }
}
