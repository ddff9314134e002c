package dev.oncefold.journal;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** A clock set by hand. */
final class SimClock extends Clock {
  long now;

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(now);
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }
}
