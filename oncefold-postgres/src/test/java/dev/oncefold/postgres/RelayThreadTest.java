package dev.oncefold.postgres;

import static dev.oncefold.postgres.OutboxDatabase.claim;
import static dev.oncefold.postgres.OutboxDatabase.commit;
import static dev.oncefold.postgres.OutboxDatabase.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.SinkException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The relay with its thread: it is told, it looks by itself, it waits, it ends. */
@Timeout(60)
class RelayThreadTest {
  private static final Duration NEVER = Duration.ofDays(1);

  private final int fold;
  private final Outbox outbox;
  private final MemorySink sink = new MemorySink();

  RelayThreadTest() throws SQLException {
    fold = OutboxDatabase.newFold();
    outbox = new Outbox(OutboxDatabase.SCHEMA, fold);
  }

  private Relay relay(Duration poll) {
    return Relay.ofPartitions(
        outbox,
        sink,
        OutboxDatabase::connect,
        new Relay.Limits(10, 1 << 20, 1000, poll, Duration.ofMillis(10), Duration.ofMillis(100)));
  }

  private CountDownLatch atStep(String name) {
    CountDownLatch reached = new CountDownLatch(1);
    sink.at(
        step -> {
          if (step.equals(name)) {
            reached.countDown();
          }
        });
    return reached;
  }

  @Test
  void sendsWhatItIsToldOf() throws Exception {
    try (Relay relay = relay(NEVER)) {
      CountDownLatch opened = atStep("opened p");
      relay.claimed("p", claim(fold, "p"));
      opened.await();
      CountDownLatch written = atStep("written");
      commit(outbox, "p", "1");
      relay.committed(10);
      written.await();
      assertThat(sink.values("p")).containsExactly("1");
    }
  }

  @Test
  void findsByItselfWhatNobodyToldItOf() throws Exception {
    try (Relay relay = relay(Duration.ofMillis(20))) {
      CountDownLatch opened = atStep("opened p");
      relay.claimed("p", claim(fold, "p"));
      opened.await();
      CountDownLatch written = atStep("written");
      commit(outbox, "p", "1");
      written.await();
    }
  }

  @Test
  void triesAgainByItself() throws Exception {
    CountDownLatch failures = new CountDownLatch(3);
    CountDownLatch written = new CountDownLatch(1);
    sink.at(
        step -> {
          if (step.equals("open p") && failures.getCount() > 0) {
            failures.countDown();
            throw new SinkException("away");
          }
          if (step.equals("written")) {
            written.countDown();
          }
        });
    commit(outbox, "p", "1");
    try (Relay relay = relay(NEVER)) {
      relay.claimed("p", claim(fold, "p"));
      written.await();
    }
  }

  @Test
  void whoWaitsForRoomIsWokenWhenThereIsSome() throws Exception {
    CountDownLatch goOn = new CountDownLatch(1);
    sink.at(
        step -> {
          if (step.equals("open p")) {
            await(goOn);
          }
        });
    try (Relay relay = relay(NEVER)) {
      relay.claimed("p", claim(fold, "p"));
      commit(outbox, "p", "x".repeat(1000));
      relay.committed(1000);
      assertThat(relay.awaitRoom(Duration.ofMillis(10))).isFalse();
      CompletableFuture<Boolean> room =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return relay.awaitRoom(NEVER);
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
      goOn.countDown();
      assertThat(room.get(30, TimeUnit.SECONDS)).isTrue();
    }
  }

  @Test
  void closeSendsWhatIsCommitted() throws Exception {
    Relay relay = relay(NEVER);
    relay.claimed("p", claim(fold, "p"));
    List<String> expected = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      commit(outbox, "p", "v" + i);
      expected.add("v" + i);
    }
    relay.close(Duration.ofSeconds(50));
    assertThat(sink.values("p")).isEqualTo(expected);
    assertThat(number("select count(*) from $.outbox where fold = " + fold)).isZero();
  }

  @Test
  void closeWaitsForNoSinkThatDoesNotAnswerOrFails() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch stuck = new CountDownLatch(1);
    sink.at(
        step -> {
          if (step.equals("write")) {
            stuck.countDown();
            await(never);
          }
        });
    commit(outbox, "p", "1");
    Relay relay = relay(NEVER);
    relay.claimed("p", claim(fold, "p"));
    stuck.await();
    relay.close(Duration.ofMillis(50));

    sink.at(
        step -> {
          throw new SinkException("away");
        });
    Relay next = relay(NEVER);
    next.claimed("p", claim(fold, "p"));
    long before = System.nanoTime();
    next.close(NEVER);
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(30));
    assertThat(sink.values("p")).isEmpty();
  }

  @Test
  void whatEndsItsThreadIsTold() throws Exception {
    CountDownLatch thrown = new CountDownLatch(1);
    sink.at(
        step -> {
          if (step.equals("open p")) {
            thrown.countDown();
            throw new StackOverflowError("in the sink");
          }
        });
    try (Relay relay = relay(NEVER)) {
      commit(outbox, "p", "x".repeat(1000));
      relay.committed(1000);
      relay.claimed("p", claim(fold, "p"));
      thrown.await();
      assertThatThrownBy(() -> relay.awaitRoom(NEVER)).hasMessageContaining("in the sink");
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SinkException("interrupted", e);
    }
  }
}
