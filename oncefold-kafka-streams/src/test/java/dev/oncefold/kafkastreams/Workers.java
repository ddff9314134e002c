package dev.oncefold.kafkastreams;

import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Beacon.Field;
import dev.oncefold.verify.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** The instances of a crash run that live at the moment. */
final class Workers implements AutoCloseable {
  // A group that assigns tasks while a broker stands still may need a minute and more for it.
  private static final long PATIENCE = Duration.ofMinutes(3).toNanos();

  private final CrashPlan plan;
  private final Path directory;
  private final String bootstrap;
  private final List<Worker> all = new ArrayList<>();
  private int started;

  /** One of them. */
  record Worker(Child child, Beacon beacon, Path transaction) {
    /** It waits in its commits no more. */
    void release() {
      beacon.set(Field.HOLD, 0);
    }

    boolean inCommit() {
      return beacon.get(Field.COMMIT) != Beacon.CLOSED;
    }

    /** Whether it has sent the end of its transaction, and has no answer. */
    boolean endsTransaction() {
      return beacon.get(Field.COMMIT) == Beacon.WRITTEN;
    }

    String transactionId() throws IOException {
      return Files.readString(transaction);
    }
  }

  /** Something that is awaited. */
  interface Done {
    boolean done() throws InterruptedException;
  }

  Workers(CrashPlan plan, Path directory, String bootstrap) {
    this.plan = plan;
    this.directory = directory;
    this.bootstrap = bootstrap;
  }

  /** One more. */
  void start() throws IOException {
    Path file = directory.resolve("beacon-" + ++started);
    Beacon beacon = Beacon.at(file);
    Child child =
        Child.start(
            plan.worker(),
            Child.shortLived(),
            directory.resolve("worker-" + started + ".log"),
            bootstrap,
            file.toString(),
            directory.resolve("state-" + started).toString(),
            plan.protocol(),
            String.valueOf(plan.course().transactionMillis()));
    all.add(new Worker(child, beacon, Path.of(file + CrashWorker.TRANSACTION)));
  }

  /** Ends one by SIGKILL; answers whether it died of that. */
  boolean kill(Worker worker) throws InterruptedException {
    all.remove(worker);
    return worker.child().kill();
  }

  Worker oldest() {
    return all.get(0);
  }

  Worker any(Random random) {
    return all.get(random.nextInt(all.size()));
  }

  /** Whether the commit of one of them is open. */
  boolean inCommit() {
    return all.stream().anyMatch(Worker::inCommit);
  }

  /** Waits until one stands in a commit, and answers it. */
  Worker held(long place) throws InterruptedException {
    for (Worker worker : all) {
      worker.beacon().set(Field.HOLD, place);
    }
    List<Worker> found = new ArrayList<>();
    await(
        "begins a commit",
        () -> {
          all.stream()
              .filter(worker -> worker.beacon().get(Field.COMMIT) == Beacon.BEGUN)
              .findFirst()
              .ifPresent(found::add);
          return !found.isEmpty();
        });
    Worker held = found.get(0);
    all.stream().filter(w -> !w.equals(held)).forEach(Worker::release);
    return held;
  }

  /** Waits until one has sent the end of its transaction, and answers it at once. */
  Worker ending() {
    long begin = System.nanoTime();
    while (true) {
      for (Worker worker : all) {
        if (worker.endsTransaction()) {
          return worker;
        }
      }
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IllegalStateException("no worker commits: " + words());
      }
      Thread.onSpinWait();
    }
  }

  /** Waits for what comes about as long as they all live. */
  void await(String what, Done done) throws InterruptedException {
    long begin = System.nanoTime();
    while (!done.done()) {
      if (System.nanoTime() - begin > PATIENCE) {
        throw new IllegalStateException("nobody " + what + ": " + words());
      }
      for (Worker worker : all) {
        if (!worker.child().isAlive()) {
          throw new IllegalStateException(
              "a worker ended with " + worker.child().exitCode() + ": " + words());
        }
      }
      LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
    }
  }

  private String words() {
    StringBuilder words = new StringBuilder();
    all.forEach(worker -> words.append(worker.child().lastWords()).append('\n'));
    return words.toString();
  }

  @Override
  public void close() {
    all.forEach(worker -> worker.child().close());
  }
}
