package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.sandbox.Committed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The walk of the demo with Kafka and PostgreSQL: sends payments, has two workers apply them, does
 * harm to workers, broker and database while they do, works everything out a second time from what
 * is in the topic, and compares.
 */
final class ServersDemo implements AutoCloseable {
  private static final int WORKERS = 2;
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);
  private static final long LOOK_MILLIS = 50;
  private static final long BEYOND_THE_SESSION_MILLIS = 3_500;
  // As many events are applied between two faults at least: all goes on again.
  private static final long BETWEEN = 500;

  /** What can be done to the parts. */
  enum Fault {
    KILL_WORKER("a worker killed"),
    PAUSE_WORKER("a worker paused past its session, and woken"),
    KILL_DATABASE("the database killed"),
    KILL_BOTH_WORKERS("both workers killed at once"),
    KILL_BROKER("the broker killed"),
    PAUSE_WORKER_KILL_DATABASE("a worker paused, the database killed meanwhile");

    private final String told;

    Fault(String told) {
      this.told = told;
    }

    String told() {
      return told;
    }
  }

  /**
   * A fault as it was carried out.
   *
   * @param fault what was done
   * @param pending how many events were sent and not committed at that moment
   */
  record Landed(Fault fault, long pending) {}

  private final Servers servers;
  private final Workers workers;
  private final TopicPayments payments;
  private final SplittableRandom random;
  private final Progress progress;
  private final long begin = System.nanoTime();
  private final List<Landed> landed = new ArrayList<>();
  private final List<String> wrong = new ArrayList<>();
  private long committed;

  private ServersDemo(
      Servers servers, TopicPayments payments, Workers workers, long seed, Progress progress) {
    this.servers = servers;
    this.payments = payments;
    this.workers = workers;
    this.random = new SplittableRandom(seed);
    this.progress = progress;
  }

  /**
   * Prepares one.
   *
   * @param servers not started yet
   * @param events how many records are sent at least
   */
  static ServersDemo of(Servers servers, long seed, long events, Progress progress) {
    return new ServersDemo(
        servers,
        new TopicPayments(servers.broker().bootstrap(), Servers.PAYMENTS, seed, events),
        new Workers(servers.directory(), servers.pipeline(), WORKERS),
        seed,
        progress);
  }

  ServersReport run() throws IOException, InterruptedException {
    progress.step("starting a Kafka broker and a PostgreSQL");
    servers.start();
    progress.step("starting two workers, and sending payments");
    payments.begin();
    for (int i = 0; i < WORKERS; i++) {
      workers.start(i);
    }
    boolean goesOn = awaitCommits("once it was started", BETWEEN);
    for (Fault fault : Fault.values()) {
      if (goesOn) {
        inflict(fault);
        goesOn = awaitCommits("after " + fault.told(), BETWEEN);
      }
    }
    progress.step("faults are over: the rest of the payments, and a second producer's re-sends");
    payments.finish();
    if (goesOn) {
      long all = payments.count();
      // Messages leave behind the commits, at their own pace.
      boolean applied = await("not all events are committed at the end", () -> committed() >= all);
      if (applied) {
        await("not all messages have left at the end", servers::hasLeft);
      }
    }
    progress.step("stopping the workers, and comparing");
    wrong.addAll(workers.stop());
    return compare();
  }

  // ---------------------------------------------------------------- faults

  private void inflict(Fault fault) throws IOException, InterruptedException {
    int worker = random.nextInt(WORKERS);
    committed();
    landed.add(new Landed(fault, Math.max(0, payments.count() - committed)));
    progress.step(told() + ": " + fault.told());
    switch (fault) {
      case KILL_WORKER -> {
        workers.kill(worker);
        workers.start(worker);
      }
      case KILL_BOTH_WORKERS -> {
        for (int i = 0; i < WORKERS; i++) {
          workers.kill(i);
        }
        for (int i = 0; i < WORKERS; i++) {
          workers.start(i);
        }
      }
      case PAUSE_WORKER -> {
        workers.pause(worker);
        Thread.sleep(BEYOND_THE_SESSION_MILLIS);
        workers.resume(worker);
      }
      case KILL_DATABASE -> servers.database().restart();
      case KILL_BROKER -> servers.broker().restart();
      case PAUSE_WORKER_KILL_DATABASE -> {
        workers.pause(worker);
        servers.database().restart();
        Thread.sleep(BEYOND_THE_SESSION_MILLIS);
        workers.resume(worker);
      }
    }
  }

  private long committed() {
    Counts counts = servers.counts();
    if (counts != null) {
      committed = counts.events();
    }
    return committed;
  }

  private boolean awaitCommits(String when, long more) throws InterruptedException {
    long from = committed();
    return await(
        "nothing more is committed " + when, () -> committed() >= from + more && workers.areUp());
  }

  private boolean await(String otherwise, BooleanSupplier done) throws InterruptedException {
    long since = System.nanoTime();
    long seen = committed;
    while (!done.getAsBoolean()) {
      if (committed > seen) {
        seen = committed;
        since = System.nanoTime(); // slow is not stuck
      }
      List<Integer> ended = workers.ended();
      if (!ended.isEmpty()) {
        wrong.add(
            "worker "
                + ended.get(0)
                + " has ended by itself: see "
                + workers.log(ended.get(0) - 1).getFileName());
        return false;
      }
      if (payments.failure() != null || System.nanoTime() - since > PATIENCE) {
        wrong.add(payments.failure() == null ? otherwise : "sending fails: " + payments.failure());
        return false;
      }
      progress.at(this::told);
      Thread.sleep(LOOK_MILLIS);
    }
    return true;
  }

  private String told() {
    return String.format(
        Locale.ROOT,
        "  %,9d of %,d events, %d of %d faults, %d s",
        committed,
        payments.count(),
        landed.size(),
        Fault.values().length,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin));
  }

  // ---------------------------------------------------------------- the result

  /** Works out what should be there from the topic of payments, and holds all else against it. */
  ServersReport compare() throws IOException {
    TopicReference expected = new TopicReference();
    String bootstrap = servers.broker().bootstrap();
    Committed.read(
        bootstrap,
        List.of(Servers.PAYMENTS),
        each ->
            expected.next(
                each.topic() + "-" + each.partition(), each.offset(), text(each.value())));
    ServersComparison comparison = new ServersComparison(expected);
    wrong.forEach(comparison::differs);
    if (expected.events < payments.count()) {
      comparison.differs(
          "the topic has " + expected.events + " records, and " + payments.count() + " were sent");
    }
    Counts counts = servers.counts();
    comparison.counts(counts == null ? Counts.NONE : counts);
    try {
      comparison.rows(servers.rows());
    } catch (SQLException e) {
      throw new IOException("the table cannot be read", e);
    }
    Committed.read(
        bootstrap,
        List.of(Servers.RECEIPTS),
        each -> comparison.receipt(text(each.key()), text(each.value())));
    Committed.read(
        bootstrap, List.of(Servers.REFUSED), each -> comparison.refusal(text(each.value())));
    comparison.topics();
    return new ServersReport(
        counts == null ? Counts.NONE : counts,
        List.copyOf(landed),
        comparison,
        (System.nanoTime() - begin) / 1e9);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Ends everything that it started. */
  @Override
  public void close() {
    payments.close();
    workers.close();
    @Nullable IOException failed = null;
    try {
      servers.close();
    } catch (IOException e) {
      failed = e;
    }
    if (failed != null) {
      throw new IllegalStateException("a server could not be ended", failed);
    }
  }
}
