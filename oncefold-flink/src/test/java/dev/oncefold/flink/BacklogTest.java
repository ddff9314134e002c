package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class BacklogTest {
  private static final BlockingQueue<String> CLOSED = new LinkedBlockingQueue<>();
  private static final CountDownLatch LOOKING = new CountDownLatch(1);
  private static final CountDownLatch CLOSING = new CountDownLatch(1);
  private static final CountDownLatch TOLD_AGAIN = new CountDownLatch(1);

  @Test
  void theClientsAreLeftAloneWhileTheyClose() throws Exception {
    Inlet<Long> inlet =
        new Inlet<>(FlinkFold.of(BacklogTest::fold), new Properties(), each -> new Slow(), 1);
    Backlog backlog = new Backlog(inlet, List.of(new Lane(new TopicPartition("topic", 0), 0)));
    LOOKING.await();
    backlog.close();
    CLOSING.await();
    backlog.close();
    TOLD_AGAIN.countDown();
    assertThat(CLOSED.take()).isEqualTo("in order");
  }

  private static Fold<Long, Long, Long> fold() {
    return Fold.of("sums", Long.class, Long.class, Long.class)
        .initially(0L)
        .rememberingNoIds()
        .update((sum, event) -> Outcome.accept(sum + event.value(), sum));
  }

  /** Waits in its close until it is told of the end once more. */
  private static final class Slow extends Through {
    @SuppressWarnings("NullAway") // never asked
    Slow() {
      super(null);
    }

    @Override
    public Map<TopicPartition, Long> begins(Collection<TopicPartition> partitions) {
      LOOKING.countDown();
      return Map.of();
    }

    @Override
    public Map<TopicPartition, Long> ends(Collection<TopicPartition> partitions) {
      return Map.of();
    }

    @Override
    public void close() {
      CLOSING.countDown();
      try {
        TOLD_AGAIN.await();
        CLOSED.add(Thread.currentThread().isInterrupted() ? "interrupted" : "in order");
      } catch (InterruptedException e) {
        CLOSED.add("interrupted");
      }
    }
  }
}
