package dev.oncefold.kafkastreams;

import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import org.jspecify.annotations.Nullable;

/** What leaves the fold: an output or a refusal. */
record Sent<S, E, O>(@Nullable Emitted<O> output, @Nullable Entry<S, E, O> refusal) {
  boolean isOutput(String name) {
    return output != null && output.name().equals(name);
  }
}
