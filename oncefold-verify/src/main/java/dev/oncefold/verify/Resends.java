package dev.oncefold.verify;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Mixes events with what real senders do to them: send them again at once, later, when their ids
 * are forgotten long since, or with another payload; and now and then something that is no event.
 *
 * <p>Deterministic: the same events and the same seed give the same mixture. Takes time in
 * proportion to the count of events.
 */
public final class Resends {
  // Of all that is sent. A twelfth is more than the twentieth that a proof needs.
  private static final int ONE_RESEND_IN = 12;
  private static final int ONE_UNREADABLE_IN = 200;

  private Resends() {}

  /** Why something is in the mixture. */
  public enum Kind {
    /** The first delivery. */
    FIRST,
    /** The same bytes, right behind the first delivery. */
    AT_ONCE,
    /** The same bytes, later. */
    LATER,
    /** The same bytes, when the time of events has gone on for longer than ids are remembered. */
    BEYOND,
    /** The same id with another payload. */
    CHANGED,
    /** No event. */
    UNREADABLE
  }

  /**
   * What stands in the input.
   *
   * @param line the line
   * @param kind why it does
   * @param <L> the type of the lines
   */
  public record Sent<L>(L line, Kind kind) {}

  /**
   * What has to be known of the lines.
   *
   * @param <L> the type of the lines
   */
  public interface Lines<L> {
    /**
     * Whether an engine that met the line remembers its id, so that it knows it again.
     *
     * @param line a first delivery
     * @return true if it may be sent again
     */
    boolean isRemembered(L line);

    /**
     * The time of a line's event.
     *
     * @param line a first delivery
     * @return epoch milliseconds, or null where it has none
     */
    @Nullable Long time(L line);

    /**
     * The same id with another payload.
     *
     * @param line a first delivery
     * @param seed what the payload is made from
     * @return the line, or null where there is none
     */
    @Nullable L changed(L line, long seed);
  }

  /**
   * How many first deliveries it takes.
   *
   * @param total how many lines are wanted altogether
   * @param resends whether some are to be sent again
   * @param unreadable whether some are to be no events
   * @return the count, at least 1
   */
  public static int firsts(int total, boolean resends, boolean unreadable) {
    return Math.max(
        1, total - (resends ? resends(total) : 0) - (unreadable ? unreadable(total) : 0));
  }

  private static int resends(int total) {
    return (total + ONE_RESEND_IN - 1) / ONE_RESEND_IN;
  }

  private static int unreadable(int total) {
    return (total + ONE_UNREADABLE_IN - 1) / ONE_UNREADABLE_IN;
  }

  /**
   * Mixes first deliveries with re-sends of them. Their own order stays, and no re-send comes
   * before them.
   *
   * @param firsts the first deliveries, in order
   * @param about what has to be known of them
   * @param unreadable lines that are no events, of which some are put in; empty for none
   * @param total how many are wanted altogether; fewer come where nothing can be sent again
   * @param spanMillis for how long ids are remembered; {@link Observation.Begin#FOREVER}, or {@link
   *     Observation.Begin#NO_IDS} to send nothing again
   * @param seed what the mixture is made from
   * @return the mixture
   * @param <L> the type of the lines
   */
  public static <L> List<Sent<L>> mixed(
      List<L> firsts, Lines<L> about, List<L> unreadable, int total, long spanMillis, long seed) {
    Mixture<L> mixture = new Mixture<>(firsts, about, spanMillis, new SplittableRandom(seed));
    int others = Math.max(0, total - firsts.size());
    int noEvents = unreadable.isEmpty() ? 0 : Math.min(others, unreadable(total));
    if (spanMillis != Observation.Begin.NO_IDS) {
      mixture.sendAgain(others - noEvents);
    }
    for (int i = 0; i < noEvents; i++) {
      mixture.put(
          mixture.random.nextInt(firsts.size()),
          new Sent<>(unreadable.get(i % unreadable.size()), Kind.UNREADABLE));
    }
    return mixture.all();
  }

  private static final class Mixture<L> {
    private final List<L> firsts;
    private final Lines<L> about;
    private final long spanMillis;
    private final SplittableRandom random;
    // What comes behind each first delivery, by its place.
    private final Map<Integer, List<Sent<L>>> behind = new HashMap<>();
    // The greatest time up to each of them.
    private final long[] greatest;

    Mixture(List<L> firsts, Lines<L> about, long spanMillis, SplittableRandom random) {
      this.firsts = firsts;
      this.about = about;
      this.spanMillis = spanMillis;
      this.random = random;
      this.greatest = new long[firsts.size()];
      long most = Long.MIN_VALUE;
      for (int i = 0; i < greatest.length; i++) {
        Long time = about.isRemembered(firsts.get(i)) ? about.time(firsts.get(i)) : null;
        most = time == null ? most : Math.max(most, time);
        greatest[i] = most;
      }
    }

    /** One of each stretch of the input, so that re-sends come everywhere. */
    void sendAgain(int count) {
      int last = -1;
      for (int i = 0; i < count; i++) {
        int from = (int) ((long) firsts.size() * i / count);
        int to = Math.max(from + 1, (int) ((long) firsts.size() * (i + 1) / count));
        int place = from + random.nextInt(to - from);
        for (int tries = 0; tries < to - from && !known(place); tries++) {
          place = place + 1 == to ? from : place + 1;
        }
        place = known(place) ? place : last;
        if (place >= 0) {
          sendAgain(place, i % 4);
          last = place;
        }
      }
    }

    private boolean known(int place) {
      return about.isRemembered(firsts.get(place));
    }

    private void sendAgain(int place, int how) {
      L line = firsts.get(place);
      int later = Math.min(firsts.size() - 1, place + 1 + random.nextInt(firsts.size() / 8 + 1));
      L changed = how == 2 ? about.changed(line, random.nextLong()) : null;
      int beyond = how == 3 ? beyond(place) : -1;
      if (changed != null) {
        put(random.nextBoolean() ? place : later, new Sent<>(changed, Kind.CHANGED));
      } else if (beyond >= 0) {
        put(beyond, new Sent<>(line, Kind.BEYOND));
      } else if (how == 0) {
        put(place, new Sent<>(line, Kind.AT_ONCE));
      } else {
        put(later, new Sent<>(line, Kind.LATER));
      }
    }

    /** Where the id of a line is forgotten for certain; negative where nowhere. */
    private int beyond(int place) {
      Long time = about.time(firsts.get(place));
      if (time == null || spanMillis < 0) {
        return -1;
      }
      // Ids may be kept somewhat longer than they must be.
      long forgotten = time + spanMillis + spanMillis / 2;
      int low = place;
      int high = greatest.length;
      while (low < high) {
        int middle = (low + high) >>> 1;
        if (greatest[middle] < forgotten) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      return low == greatest.length ? -1 : low + random.nextInt(greatest.length - low);
    }

    void put(int place, Sent<L> sent) {
      behind.computeIfAbsent(place, unused -> new ArrayList<>()).add(sent);
    }

    List<Sent<L>> all() {
      List<Sent<L>> all = new ArrayList<>();
      for (int i = 0; i < firsts.size(); i++) {
        all.add(new Sent<>(firsts.get(i), Kind.FIRST));
        all.addAll(behind.getOrDefault(i, List.of()));
      }
      return all;
    }
  }
}
