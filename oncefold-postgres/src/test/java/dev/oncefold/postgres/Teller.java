package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.RejudgeException;
import dev.oncefold.Store;
import dev.oncefold.Verdict;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** One worker, driven by hand: it judges as the runner does, and can stop between two steps. */
final class Teller<S, E, O> implements AutoCloseable {
  final PostgresStore<S, E, O> store;
  private final Kernel<S, E, O> kernel;
  final Map<String, Store.Claim> claims = new HashMap<>();
  final Map<String, Position> positions = new HashMap<>();
  int rejudged;

  Teller(Options<S, E, O> options, Fold<S, E, O> fold) {
    this(PostgresStore.open(options, fold), fold);
  }

  Teller(PostgresStore<S, E, O> store, Fold<S, E, O> fold) {
    this.store = store;
    this.kernel = new Kernel<>(fold);
  }

  Teller<S, E, O> claim(String... partitions) {
    for (String partition : partitions) {
      Store.Claim claim = store.claim(partition);
      claims.put(partition, claim);
      positions.put(partition, claim.position());
    }
    return this;
  }

  /** A batch that is judged, and not yet committed. */
  final class Judged implements AutoCloseable {
    final List<Verdict<S, O>> verdicts = new ArrayList<>();
    private final Store.Batch<S, E, O> batch;
    private final String partition;
    private final Position to;

    private Judged(String partition, List<Event<E>> events) {
      Position from = Objects.requireNonNull(positions.get(partition));
      this.partition = partition;
      this.to = new Position(from.offset() + events.size(), 7);
      this.batch = store.begin(Objects.requireNonNull(claims.get(partition)), from);
      List<Received<E>> received = new ArrayList<>();
      for (Event<E> event : events) {
        long offset = from.offset() + received.size();
        received.add(Received.of(offset, new Position(offset + 1, 7), event));
      }
      batch.load(received);
      for (Received<E> each : received) {
        verdicts.add(judge(each));
      }
    }

    private Verdict<S, O> judge(Received<E> received) {
      Event<E> event = Objects.requireNonNull(received.event());
      Verdict<S, O> verdict = kernel.judge(event, batch, batch, batch.floor(), Kernel.NO_LIMIT);
      try {
        batch.add(received, verdict);
      } catch (CodecException e) {
        verdict = new Verdict.Failed<>(Verdict.Cause.UPDATE, String.valueOf(e.getMessage()));
        batch.add(received, verdict);
      }
      return verdict;
    }

    void commit() {
      commit(false);
    }

    void commit(boolean unread) {
      positions.put(partition, batch.commit(to, unread).join());
    }

    @Override
    public void close() {
      batch.close();
    }
  }

  @SafeVarargs
  @SuppressWarnings("varargs")
  final Judged judge(String partition, Event<E>... events) {
    return new Judged(partition, List.of(events));
  }

  /** One batch, again where the store wants it so. */
  @SafeVarargs
  @SuppressWarnings("varargs")
  final List<Verdict.Kind> feed(String partition, Event<E>... events) {
    return feed(partition, List.of(events));
  }

  List<Verdict.Kind> feed(String partition, List<Event<E>> events) {
    while (true) {
      try (Judged judged = new Judged(partition, events)) {
        judged.commit();
        return judged.verdicts.stream().map(Verdict::kind).toList();
      } catch (RejudgeException e) {
        rejudged++;
      }
    }
  }

  @Override
  public void close() {
    store.close();
  }
}
