package dev.oncefold.postgres;

import dev.oncefold.FencedException;
import dev.oncefold.Sink;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A sink that behaves as the one for Kafka does: whoever opens a lane fences those before, and
 * messages and position change in one step.
 */
final class MemorySink implements Sink {
  private final Map<String, Written> lanes = new HashMap<>();
  private volatile Steps steps = step -> {};

  /** What a lane has. */
  private static final class Written {
    private final List<String> values = new ArrayList<>();
    private final List<Message> messages = new ArrayList<>();
    private long position = START;
    private int openings;
  }

  private volatile Limit limit = Limit.NONE;

  /** Takes no larger messages from here on. */
  void limit(long bytes, String setting) {
    limit = new Limit(bytes, setting);
  }

  @Override
  public Limit limit(@Nullable String output) {
    return limit;
  }

  /** Lets a test stand between any two steps. */
  void at(Steps steps) {
    this.steps = steps;
  }

  private synchronized Written lane(String lane) {
    return lanes.computeIfAbsent(lane, name -> new Written());
  }

  /** The values written to a lane, in order. */
  synchronized List<String> values(String lane) {
    return List.copyOf(lane(lane).values);
  }

  /** The messages written to a lane, in order. */
  synchronized List<Message> messages(String lane) {
    return List.copyOf(lane(lane).messages);
  }

  synchronized long position(String lane) {
    return lane(lane).position;
  }

  synchronized int openings(String lane) {
    return lane(lane).openings;
  }

  private synchronized Opened opened(String lane) {
    Written written = lane(lane);
    written.openings++;
    return new Opened(written, written.openings, written.position);
  }

  @Override
  public Sink.Lane open(String lane) {
    steps.at("open " + lane);
    Opened opened = opened(lane);
    steps.at("opened " + lane);
    return opened;
  }

  @Override
  public void close() {}

  private final class Opened implements Lane {
    private final Written written;
    private final int opening;
    private long position;

    Opened(Written written, int opening, long position) {
      this.written = written;
      this.opening = opening;
      this.position = position;
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void write(List<Message> messages, long position) {
      steps.at("write");
      synchronized (MemorySink.this) {
        if (written.openings != opening) {
          throw new FencedException("opening " + written.openings + " fences " + opening);
        }
        if (position < written.position) {
          throw new IllegalArgumentException("the position falls");
        }
        for (Message message : messages) {
          written.values.add(value(message));
          written.messages.add(message);
        }
        written.position = position;
      }
      steps.at("written");
      this.position = position;
    }

    private static String value(Message message) {
      String value = new String(message.value(), StandardCharsets.UTF_8);
      @Nullable String output = message.output();
      return output == null ? "refused " + value : value;
    }

    @Override
    public void close() {
      steps.at("close");
    }
  }
}
