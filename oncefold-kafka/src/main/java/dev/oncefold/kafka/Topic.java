package dev.oncefold.kafka;

import dev.oncefold.Position;
import dev.oncefold.SourceException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * What a topic is, as the cluster says: its id, which a topic made anew under the same name does
 * not share, and the number of its partitions.
 *
 * <p>A consumer goes on in a topic that was made anew as if it were the old one. So what was
 * fetched counts only once a later look still finds the same id: an id never comes back. That is
 * one small request for each fetch. A look that is only a little older than the fetch would not do:
 * a short topic is deleted, made and filled in a few milliseconds.
 *
 * <p>A look is answered by any broker, and one whose metadata lags may tell the old id of a topic
 * that others have made anew already. The clients of Kafka ask no given broker, and do not tell by
 * which id they fetch. So while it lags what stands in the new topic may pass; the next look stops
 * the run.
 */
final class Topic implements AutoCloseable {
  private static final long MISSING_FOR_GOOD = TimeUnit.SECONDS.toNanos(10);

  private final Admin admin;
  private final String name;
  private long check;
  private int partitions;
  private long seen;
  private boolean missing;
  private long missingSince;
  private @Nullable KafkaFuture<TopicDescription> asked;
  private long askedAt;

  Topic(Admin admin, String name) {
    this.admin = admin;
    this.name = name;
  }

  /**
   * Looks for the first time.
   *
   * @throws ExecutionException if there is none, or the cluster does not answer
   */
  void open() throws ExecutionException, InterruptedException {
    long now = System.nanoTime();
    see(Clients.known(this::ask), now);
  }

  /** The {@link Position#check} of its positions; never 0. */
  long check() {
    return check;
  }

  int partitions() {
    return partitions;
  }

  /**
   * Whether a look at some time or later found the same topic. Starts one where needed.
   *
   * @param time by {@link System#nanoTime}
   * @param wait how long to wait for the answer
   * @throws SourceException if it is not the same topic, or there is none any more
   */
  boolean seenSince(long time, Duration wait) throws InterruptedException {
    if (seen - time >= 0) {
      return true;
    }
    if (asked == null) {
      askedAt = System.nanoTime();
      asked = ask();
    }
    try {
      see(asked.get(wait.toNanos(), TimeUnit.NANOSECONDS), askedAt);
      asked = null;
    } catch (TimeoutException e) {
      return false; // the question stays on its way
    } catch (ExecutionException e) {
      asked = null;
      failed(e);
    }
    return seen - time >= 0;
  }

  private KafkaFuture<TopicDescription> ask() {
    return Objects.requireNonNull(
        admin.describeTopics(List.of(name)).topicNameValues().get(name), "what was asked for");
  }

  private void see(TopicDescription description, long at) {
    long found = check(description.topicId());
    if (check != 0 && found != check) {
      throw new SourceException(
          "the topic \""
              + name
              + "\" was deleted and made anew while it was read: its events are others now. To read"
              + " them, give the source another name (KafkaSource.named), or a store of its own");
    }
    check = found;
    partitions = description.partitions().size();
    seen = at;
    missing = false;
  }

  private void failed(ExecutionException e) {
    if (e.getCause() instanceof UnknownTopicOrPartitionException) {
      // Not at once: a broker that has just started may not know it yet.
      if (!missing) {
        missing = true;
        missingSince = System.nanoTime();
      } else if (System.nanoTime() - missingSince > MISSING_FOR_GOOD) {
        throw new SourceException(
            "the topic \"" + name + "\" was deleted while it was read. Nothing more comes of it",
            e);
      }
    } else if (e.getCause() instanceof RuntimeException cause
        && !(cause instanceof RetriableException)) {
      throw cause;
    }
  }

  private static long check(Uuid id) {
    long folded = id.getMostSignificantBits() ^ id.getLeastSignificantBits();
    return folded == 0 ? 1 : folded; // 0 is a position that was never read
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
