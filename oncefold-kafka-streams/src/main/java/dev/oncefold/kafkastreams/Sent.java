package dev.oncefold.kafkastreams;

import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What leaves the fold in a topology of the user's: an output or a refusal. */
record Sent<S, E, O>(@Nullable Emitted<O> output, @Nullable Entry<S, E, O> refusal) {
  boolean isOutput(String name) {
    return output != null && output.name().equals(name);
  }

  /** Takes what the user has asked for. */
  static final class Asked<S, E, O> implements Outlet<S, E, O, Sent<S, E, O>> {
    private final Set<String> taken = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Boolean refusals;

    void take(String output) {
      taken.add(output);
    }

    void takeRefusals() {
      refusals = true;
    }

    void dropRefusals() {
      if (refusals == null) {
        refusals = false;
      }
    }

    @Override
    public @Nullable Sent<S, E, O> output(Emitted<O> output) {
      return taken.contains(output.name()) ? new Sent<>(output, null) : null;
    }

    @Override
    public @Nullable Boolean takesRefusals() {
      return refusals;
    }

    @Override
    public Sent<S, E, O> refusal(Entry<S, E, O> refusal) {
      return new Sent<>(null, refusal);
    }
  }
}
