package dev.oncefold.testkit;

import dev.oncefold.verify.Observation;
import dev.oncefold.verify.TraceModel.Move;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The input of a crash run: sends moves into a topic at some pace, each key's into one partition;
 * if wanted some of them again, and a few with another payload. It knows what stands where, and
 * tells it to a history.
 *
 * <p>One thread sends, another may tell meanwhile.
 */
public final class MoveFeed {
  /** The payload of what is no event. */
  public static final String NO_EVENT = "?";

  private final Plan plan;
  private final Topic topic;
  private final Random random;
  private final List<List<Sent>> standing = new ArrayList<>();
  private final int[] told;
  private volatile boolean enough;
  private volatile int sent;

  /**
   * What is sent.
   *
   * @param seed what it is made from
   * @param topic the name of the topic
   * @param partitions how many it has
   * @param events how many records are sent at least
   * @param keys how many keys they change
   * @param resends whether some events are sent again
   */
  public record Plan(
      long seed, String topic, int partitions, int events, int keys, boolean resends) {}

  /** Where it is sent to. */
  public interface Topic extends AutoCloseable {
    /**
     * Sends a record, in the order of the calls.
     *
     * @param partition where to
     * @param key the key of the event
     * @param id the id of the event
     * @param payload a {@link Move} as text, or {@link #NO_EVENT}
     * @return waits until it stands, and answers at which offset; called by the thread that tells
     */
    Callable<Long> send(int partition, String key, String id, String payload);

    /** Waits until everything stands. */
    @Override
    void close();
  }

  private record Sent(int partition, String key, String id, String payload, Callable<Long> at) {}

  /**
   * A feed that has not begun.
   *
   * @param plan what is sent
   * @param topic where to; closed when all is sent
   */
  public MoveFeed(Plan plan, Topic topic) {
    this.plan = plan;
    this.topic = topic;
    this.random = new Random(plan.seed());
    this.told = new int[plan.partitions()];
    for (int i = 0; i < plan.partitions(); i++) {
      standing.add(new ArrayList<>());
    }
  }

  /**
   * Sends everything, and goes on until it is {@link #enough}.
   *
   * @param perSecond how many a second
   */
  public void run(int perSecond) {
    List<Sent> old = new ArrayList<>();
    long begin = System.nanoTime();
    int seq = 0;
    for (; seq < plan.events() || !enough; seq++) {
      long due = begin + seq * 1_000_000_000L / perSecond;
      for (long now = System.nanoTime(); now < due; now = System.nanoTime()) {
        LockSupport.parkNanos(due - now);
      }
      if (plan.resends() && !old.isEmpty() && random.nextInt(10) == 0) {
        again(old.get(random.nextInt(old.size())));
      } else if (random.nextInt(500) == 0) {
        send(random.nextInt(plan.partitions()), "nobody", "x" + seq, NO_EVENT);
      } else {
        old.add(make(seq));
      }
    }
    topic.close();
    sent = seq;
  }

  /** Nothing waits for events any more: once there are as many as there are to be, it ends. */
  public void enough() {
    enough = true;
  }

  /**
   * How many records it has sent.
   *
   * @return the count; 0 before it is over
   */
  public int sent() {
    return sent;
  }

  private Sent make(int seq) {
    // One event of twenty is of a hot key.
    String key = random.nextInt(20) == 0 ? "k0" : "k" + random.nextInt(plan.keys());
    long amount = random.nextInt(100);
    Move move = new Move(seq, List.of(key), List.of(random.nextInt(10) == 0 ? -amount : amount));
    return send(Math.floorMod(key.hashCode(), plan.partitions()), key, "e" + seq, move.text());
  }

  private void again(Sent first) {
    String payload = first.payload();
    if (random.nextInt(20) == 0) {
      Move move = Move.parse(payload);
      payload = new Move(move.seq(), move.keys(), List.of(move.amounts().get(0) + 1)).text();
    }
    send(first.partition(), first.key(), first.id(), payload);
  }

  private Sent send(int partition, String key, String id, String payload) {
    // Nobody may read it before it is here.
    synchronized (standing) {
      Sent made = new Sent(partition, key, id, payload, topic.send(partition, key, id, payload));
      standing.get(partition).add(made);
      return made;
    }
  }

  /**
   * Tells what stands in a partition before an offset, and was not told; waits until it is known.
   *
   * @param partition the partition
   * @param to the offset
   * @param history told of it
   * @throws InterruptedException if interrupted
   */
  public void tell(int partition, long to, Consumer<Observation> history)
      throws InterruptedException {
    while (true) {
      Sent one;
      synchronized (standing) {
        List<Sent> all = standing.get(partition);
        one = told[partition] < all.size() ? all.get(told[partition]) : null;
      }
      if (one == null) {
        return;
      }
      Observation.Input input = input(one);
      if (input.at() >= to) {
        return;
      }
      history.accept(input);
      told[partition]++;
    }
  }

  private Observation.Input input(Sent one) throws InterruptedException {
    long at;
    try {
      at = one.at().call();
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("a record was not sent", e);
    }
    boolean event = !one.payload().equals(NO_EVENT);
    return new Observation.Input(
        plan.topic() + "-" + one.partition(),
        at,
        at + 1,
        event ? one.key() : null,
        event ? one.id() : null,
        null,
        one.payload());
  }
}
