package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Slot;
import dev.oncefold.verify.TraceModel.Trace;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An engine that takes everything, does nothing and says so. */
class NoOpFixture implements EngineFixture {
  @Override
  public Duration patience() {
    return Duration.ZERO;
  }

  @Override
  public void start(Setup setup) throws Exception {}

  @Override
  public void feed(String partition, List<String> records) {}

  @Override
  public void settle() {}

  @Override
  public @Nullable String stopped() {
    return null;
  }

  @Override
  public void crash() {}

  @Override
  public void restart(Setup setup) {}

  @Override
  public @Nullable String second() {
    return null;
  }

  @Override
  public @Nullable Slot<Trace> state(String key) {
    return null;
  }

  @Override
  public List<Emitted> outputs(String name) {
    return List.of();
  }

  @Override
  public List<Refusal> refusals() {
    return List.of();
  }

  @Override
  public Counts counts() {
    return Counts.NONE;
  }

  @Override
  public List<Judged> history(String key) {
    return List.of();
  }

  @Override
  public void close() {}
}
