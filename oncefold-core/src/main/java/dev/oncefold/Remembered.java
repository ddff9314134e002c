package dev.oncefold;

import org.jspecify.annotations.Nullable;

/**
 * What a store remembers of an id that was Applied or Rejected.
 *
 * @param fingerprint the {@link Kernel#fingerprint} of the payload first seen
 * @param rejected the reason of the rejection, or null where the event was applied
 */
public record Remembered(long fingerprint, @Nullable String rejected) {}
