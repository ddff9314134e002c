package dev.oncefold.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Event;
import dev.oncefold.FencedException;
import dev.oncefold.Fold;
import dev.oncefold.Position;
import dev.oncefold.RejudgeException;
import dev.oncefold.Sink;
import dev.oncefold.Store;
import dev.oncefold.verify.Checker;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Result;
import dev.oncefold.verify.Rule;
import dev.oncefold.verify.TcpProxy;
import dev.oncefold.verify.TraceModel;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Each step on which exactly once rests, broken by itself, and the rule by which the checker finds
 * it. Only positions protect in these folds: what a step lets through is applied, and no id hides
 * it. The same scenario passes with the store as it is.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class BrokenStoresTest {
  private static final Fold<Trace, Move, String> FOLD = Moves.overOneKeyWithoutIds();
  private static final String TABLE = "traces";
  private static final String COMPARE =
      " and epoch = ? and position_offset = ? and position_check = ? and batch = ?";
  private static final String ALWAYS =
      " and num_nonnulls(?::bigint, ?::bigint, ?::bigint, ?::bigint) = 4";
  private static final Event<Move> DEPOSIT = event(1, "alice", 10);
  private static final Event<Move> REJECTED = event(2, "bob", -10);
  private static final Event<Move> LATER = event(3, "carol", 5);

  private final List<Observation> seen = new ArrayList<>();
  private final Deque<Observation.Input> input = new ArrayDeque<>();
  private final MemorySink sink = new MemorySink();
  private Database database;
  private TcpProxy proxy;
  private Onlooker onlooker;

  private static Event<Move> event(long seq, String key, long amount) {
    return new Event<>("e" + seq, key, null, new Move(seq, List.of(key), List.of(amount)));
  }

  @BeforeEach
  void aDatabaseBehindAProxy() throws Exception {
    database = Database.create();
    proxy = TcpProxy.to(database.server().address());
    onlooker = new Onlooker(database.url(), TABLE, seen::add, this::tell);
    seen.add(
        new Observation.Begin(
            "PostgreSQL",
            Moves.NAME,
            1,
            TraceModel.NAME,
            Observation.Begin.NO_IDS,
            null,
            Observation.Needs.LEAST,
            Map.of()));
    PostgresStore.open(Options.<Trace, Move, String>of(database.url(), TABLE), FOLD).close();
    onlooker.begin();
  }

  @AfterEach
  void close() {
    proxy.close();
  }

  private Teller<Trace, Move, String> teller(CommitSteps steps) {
    Options<Trace, Move, String> options =
        Options.<Trace, Move, String>of(
                database.server().jdbcUrl(database.name(), proxy.address()), TABLE)
            // Whatever else would notice is taken away.
            .cachedKeys(0)
            .sink(sink)
            .output(TraceModel.OUTPUT, emitted -> bytes(emitted.value()))
            .refusals(entry -> bytes(String.valueOf(Letters.of(entry.verdict()))));
    return new Teller<>(PostgresStore.open(options, FOLD, steps), FOLD);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** What the input holds, whoever reads it. */
  @SafeVarargs
  @SuppressWarnings("varargs")
  private void input(Event<Move>... events) {
    for (int i = 0; i < events.length; i++) {
      Event<Move> event = events[i];
      input.add(
          new Observation.Input(
              "p0", i, i + 1, event.key(), event.id(), null, event.value().text()));
    }
  }

  private void tell(String partition, long to) {
    while (!input.isEmpty() && input.element().at() < to) {
      seen.add(input.remove());
    }
  }

  /** All stores are closed, and what they had to relay is relayed. */
  private Result verdict() throws SQLException {
    onlooker.look();
    for (Sink.Message message : sink.messages("p0")) {
      String value = new String(message.value(), StandardCharsets.UTF_8);
      String output = message.output();
      seen.add(
          output == null
              ? new Observation.Refusal("sink", message.key(), message.id(), value.charAt(0))
              : new Observation.Output("sink", output, message.key(), message.id(), value));
    }
    seen.add(new Observation.Complete("sink"));
    seen.add(new Observation.End(seen.size()));
    return Checker.check(seen::forEach);
  }

  private static void passes(Result result) {
    assertThat(result).isInstanceOf(Result.Pass.class);
  }

  private static void caught(String what, Rule rule, Result result) {
    assertThat(result).isInstanceOf(Result.Fail.class);
    assertThat(((Result.Fail) result).violations()).anyMatch(found -> found.rule() == rule);
    System.out.println("Broken engine, " + what + ": " + rule + " with the first seed");
  }

  /** A connection on which a position is moved wherever it is, and whoever has claimed it. */
  private static Connection comparingNothing(Connection connection) {
    return Steps.rewriting(
        connection,
        sql -> {
          assertThat(sql).contains(COMPARE);
          return sql.replace(COMPARE, ALWAYS);
        });
  }

  // ---------------------------------------------------------------- zombies

  /** A zombie that wakes between two batches. */
  private Result afterAZombieBetweenBatches(CommitSteps steps) throws SQLException {
    input(DEPOSIT, LATER);
    try (Teller<Trace, Move, String> zombie = teller(steps).claim("p0");
        Teller<Trace, Move, String> owner = teller(steps).claim("p0")) {
      owner.feed("p0", DEPOSIT);
      onlooker.look();
      try {
        zombie.feed("p0", DEPOSIT);
      } catch (FencedException e) {
        owner.feed("p0", LATER);
      }
    }
    return verdict();
  }

  /** A zombie that judged before the takeover, and wakes when the new owner has committed. */
  private Result afterAZombieBeforeItsCommit(CommitSteps steps) throws SQLException {
    // A rejection changes no row, so rows do not meet.
    input(REJECTED, LATER);
    try (Teller<Trace, Move, String> zombie = teller(steps).claim("p0");
        Teller<Trace, Move, String> owner = teller(steps)) {
      try (Teller<Trace, Move, String>.Judged asleep = zombie.judge("p0", REJECTED)) {
        owner.claim("p0").feed("p0", REJECTED);
        owner.feed("p0", LATER);
        onlooker.look();
        asleep.commit();
      } catch (FencedException e) {
        // As it should be.
      }
    }
    return verdict();
  }

  @Test
  void zombiesAreStoppedByTheStoreAsItIs() throws SQLException {
    passes(afterAZombieBetweenBatches(new CommitSteps()));
  }

  @Test
  void aZombieBeforeItsCommitIsStoppedByTheStoreAsItIs() throws SQLException {
    passes(afterAZombieBeforeItsCommit(new CommitSteps()));
  }

  @Test
  void noFence() throws SQLException {
    Result result =
        afterAZombieBetweenBatches(
            new CommitSteps() {
              @Override
              boolean holds(Store.Claim claim, Position from, long epoch, Position stored) {
                return true;
              }

              @Override
              void write(Connection connection, Part position, Part results) throws SQLException {
                position.write(comparingNothing(connection));
                results.write(connection);
              }
            });
    caught("store without a fence", Rule.C2, result);
  }

  @Test
  void positionWithoutCompare() throws SQLException {
    Result result =
        afterAZombieBeforeItsCommit(
            new CommitSteps() {
              @Override
              void write(Connection connection, Part position, Part results) throws SQLException {
                position.write(comparingNothing(connection));
                results.write(connection);
              }
            });
    caught("position written without comparing", Rule.C9, result);
  }

  // ---------------------------------------------------------------- commits

  private Result afterOneBatch(CommitSteps steps) throws SQLException {
    input(DEPOSIT);
    try (Teller<Trace, Move, String> teller = teller(steps).claim("p0")) {
      teller.feed("p0", DEPOSIT);
    }
    return verdict();
  }

  @Test
  void positionApartFromTheResults() throws SQLException {
    Result result =
        afterOneBatch(
            new CommitSteps() {
              private boolean crashed;

              @Override
              void write(Connection connection, Part position, Part results) throws SQLException {
                results.write(connection);
                connection.commit();
                if (!crashed) {
                  crashed = true;
                  proxy.reset();
                }
                position.write(connection);
              }
            });
    caught("position saved apart from the results", Rule.C2, result);
  }

  /** The first commit comes through, and its answer does not: the connection breaks before it. */
  private static class LosingTheAnswer extends CommitSteps {
    private boolean lost;

    @Override
    void commit(Connection connection) throws SQLException {
      super.commit(connection);
      if (!lost) {
        lost = true;
        connection.abort(Runnable::run);
        throw new SQLException("the connection broke", "08006");
      }
    }
  }

  @Test
  void aLostAnswerIsFoundByTheStoreAsItIs() throws SQLException {
    passes(afterOneBatch(new LosingTheAnswer()));
  }

  @Test
  void blindRetryAfterALostAnswer() throws SQLException {
    Result result =
        afterOneBatch(
            new LosingTheAnswer() {
              @Override
              boolean holds(Store.Claim claim, Position from, long epoch, Position stored) {
                return claim.epoch() == epoch;
              }

              @Override
              void write(Connection connection, Part position, Part results) throws SQLException {
                position.write(comparingNothing(connection));
                results.write(connection);
              }

              @Override
              Outcome outcome(
                  Store.Claim claim,
                  Position from,
                  Position to,
                  long batch,
                  Partitions.@Nullable Standing standing) {
                return Outcome.DROPPED;
              }
            });
    caught("blind retry after a lost answer to COMMIT", Rule.C2, result);
  }

  /** The compare-and-set alone stops it too, but then what is committed is not gone on from. */
  @Test
  void aBlindRetryIsStoppedByThePosition() throws SQLException {
    CommitSteps blind =
        new LosingTheAnswer() {
          @Override
          Outcome outcome(
              Store.Claim claim,
              Position from,
              Position to,
              long batch,
              Partitions.@Nullable Standing standing) {
            return Outcome.DROPPED;
          }
        };
    input(DEPOSIT);
    try (Teller<Trace, Move, String> teller = teller(blind).claim("p0")) {
      try {
        teller.feed("p0", DEPOSIT);
      } catch (FencedException | RejudgeException e) {
        assertThat(e).isInstanceOf(FencedException.class);
      }
    }
    passes(verdict());
  }
}
