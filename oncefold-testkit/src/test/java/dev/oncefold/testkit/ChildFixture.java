package dev.oncefold.testkit;

import dev.oncefold.Disk;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The embedded engine in a process of its own, which is killed by SIGKILL. */
final class ChildFixture extends FileFixture {
  private final EngineHosts hosts;
  private @Nullable EngineHost engine;
  private @Nullable Setup setup;

  ChildFixture(EngineHosts hosts, Path directory) {
    super(directory);
    this.hosts = hosts;
  }

  /** What runs in the process: the directory, and the setup. */
  static final class Engine implements HostedEngine {
    @Override
    public void run(List<String> args, Run run) throws Exception {
      Path directory = Path.of(args.get(0));
      Disk disk = Disk.at(EmbeddedEngine.journal(directory));
      try (EmbeddedEngine engine = new EmbeddedEngine(disk, directory, Setup.of(args.get(1)))) {
        run.ready();
        engine.run(run::over);
      }
    }
  }

  private EngineHost host(Setup what) throws IOException {
    return hosts.start(directory.toString(), what.text());
  }

  @Override
  void run(Setup what) throws Exception {
    EngineHost started = host(what);
    engine = started;
    // Other rules may be refused. The same rules are not: so the next crash may come before it is
    // ready.
    if (!what.equals(setup)) {
      started.awaitReady(patience());
    }
    setup = what;
  }

  private EngineHost running() {
    EngineHost running = engine;
    if (running == null) {
      throw new IllegalStateException("the engine is down");
    }
    return running;
  }

  @Override
  boolean works() throws Exception {
    return running().works();
  }

  @Override
  public @Nullable String stopped() {
    return running().stopped();
  }

  @Override
  @Nullable View<Trace> view() {
    Path journal = EmbeddedEngine.journal(directory);
    return Journal.describe(journal) == null
        ? null
        : Journal.view(journal, Setup.rememberingForever().fold());
  }

  @Override
  public void crash() throws Exception {
    EngineHost victim = engine;
    if (victim != null) {
      victim.process().kill();
    }
    engine = null;
  }

  /** The first is paused meanwhile, and wakes up as if nothing had happened. */
  @Override
  public @Nullable String second() throws Exception {
    EngineHost first = running();
    Setup same = setup;
    if (same == null) {
      throw new IllegalStateException("there is no first owner");
    }
    first.process().pause();
    EngineHost rival = host(same);
    try {
      if (!rival.process().awaitEnd(patience())) {
        throw new IllegalStateException("the second owner is neither refused nor dead");
      }
      return rival.told();
    } finally {
      rival.process().close();
      first.process().resume();
    }
  }

  @Override
  public List<Judged> history(String key) {
    List<Judged> events = new ArrayList<>();
    Journal.history(
        EmbeddedEngine.journal(directory),
        Setup.rememberingForever().fold(),
        key,
        entry -> events.add(judged(entry)));
    return events;
  }

  @Override
  public void close() throws IOException {
    EngineHost last = engine;
    if (last != null) {
      last.end(patience());
    }
    engine = null;
  }
}
