package dev.oncefold.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.verify.Child;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes are used again, unless they were killed or their engine ended otherwise. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class EngineHostsTest {
  @TempDir Path directory;

  /** Does nothing, ends at once, or never does. */
  static final class Idle implements HostedEngine {
    @Override
    public void run(List<String> args, Run run) {
      if (args.get(0).equals("refuses")) {
        throw new IllegalArgumentException("not under these rules");
      }
      run.ready();
      while (!args.get(0).equals("ends") && !(run.over() && args.get(0).equals("works"))) {
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  private EngineHosts hosts() throws Exception {
    return new EngineHosts(Idle.class, directory, Child.shortLived());
  }

  private static EngineHost working(EngineHosts hosts) throws Exception {
    EngineHost host = hosts.start("works");
    host.awaitReady(Patience.USUAL);
    return host;
  }

  @Test
  void theNextEngineRunsWhereTheLastOneEnded() throws Exception {
    try (EngineHosts hosts = hosts()) {
      EngineHost first = working(hosts);
      EngineHost beside = working(hosts);
      assertThat(beside.process().pid()).isNotEqualTo(first.process().pid());
      first.end(Patience.USUAL);
      EngineHost next = working(hosts);
      assertThat(next.process().pid()).isEqualTo(first.process().pid());
      assertThat(next.works()).isTrue();
      first.end(Patience.USUAL); // once more does nothing to the next
      assertThat(next.told()).isEqualTo(HostMain.READY);
    }
  }

  @Test
  void aKilledProcessRunsNothingMore() throws Exception {
    try (EngineHosts hosts = hosts()) {
      EngineHost first = working(hosts);
      assertThat(first.process().kill()).isTrue();
      first.end(Patience.USUAL);
      assertThat(working(hosts).process().pid()).isNotEqualTo(first.process().pid());
    }
  }

  @Test
  void anEngineThatIsRefusedOrEndsByItselfIsTold() throws Exception {
    try (EngineHosts hosts = hosts()) {
      EngineHost refused = hosts.start("refuses");
      assertThatThrownBy(() -> refused.awaitReady(Patience.USUAL))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not under these rules");
      EngineHost ends = hosts.start("ends");
      assertThat(ends.process().awaitEnd(Patience.USUAL)).isTrue();
      assertThatThrownBy(ends::works)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("nobody had told it to");
    }
  }

  @Test
  void anEngineThatDoesNotEndIsKilledAndTold() throws Exception {
    try (EngineHosts hosts = hosts()) {
      EngineHost stays = hosts.start("stays");
      stays.awaitReady(Patience.USUAL);
      assertThatThrownBy(() -> stays.end(Duration.ofMillis(100)))
          .hasMessageContaining("does not end");
      assertThat(stays.process().isAlive()).isFalse();
    }
  }
}
