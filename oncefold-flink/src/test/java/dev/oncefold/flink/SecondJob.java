package dev.oncefold.flink;

import dev.oncefold.testkit.HostedEngine;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.JobID;

/** A job of the conformance suite in a process of its own, beside the first. */
final class SecondJob implements HostedEngine {
  @Override
  public void run(List<String> args, Run run) throws Exception {
    JobID job =
        MiniFlink.submit(
            FlinkFixture.environment(
                args.get(0), Integer.parseInt(args.get(1)), args.get(2), Path.of(args.get(3))),
            args.get(4).isEmpty() ? null : args.get(4));
    MiniFlink.awaitRunning(job);
    run.ready();
    while (!run.over()) {
      if (MiniFlink.status(job).isGloballyTerminalState()) {
        throw new IllegalStateException(MiniFlink.told(MiniFlink.failure(job)));
      }
      LockSupport.parkNanos(10_000_000);
    }
    MiniFlink.cancel(job);
  }
}
