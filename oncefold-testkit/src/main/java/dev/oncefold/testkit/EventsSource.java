package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Events that are there already, as a source of one partition. */
final class EventsSource<E> implements Source<E> {
  private static final String PARTITION = "events";

  private final List<Event<E>> events;
  private int next;

  EventsSource(List<Event<E>> events) {
    this.events = events;
  }

  @Override
  public List<String> partitions() {
    return List.of(PARTITION);
  }

  @Override
  public void seek(String partition, Position position) {
    next = (int) position.offset();
  }

  @Override
  public @Nullable Polled<E> poll(int max, Duration wait) {
    if (ended()) {
      return null;
    }
    int from = next;
    List<Received<E>> received = new ArrayList<>();
    while (next < events.size() && received.size() < max) {
      Event<E> event = events.get(next);
      received.add(Received.of(next, new Position(++next, 0), event));
    }
    return new Polled<>(PARTITION, new Position(from, 0), received, !ended());
  }

  @Override
  public boolean ended() {
    return next >= events.size();
  }

  @Override
  public void close() {}
}
