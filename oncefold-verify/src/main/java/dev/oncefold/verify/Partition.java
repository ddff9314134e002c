package dev.oncefold.verify;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One partition of the input: what stands in it, how far it is committed, and who owns it. */
final class Partition {
  private final String name;
  private final Deque<Observation.Input> waiting = new ArrayDeque<>();
  private long told = Long.MIN_VALUE;
  private long position;
  // The newest owner that was seen, and what the last one that claimed was told.
  private long epoch;
  private long claim;
  private long claimedAt;
  private long answered;

  Partition(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  /** How much stands in it and is not committed. */
  int waiting() {
    return waiting.size();
  }

  /** Something stands in it; false where it cannot, behind what was told before. */
  boolean told(Observation.Input input) {
    if (input.at() < told || input.next() <= input.at()) {
      return false;
    }
    told = input.next();
    waiting.add(input);
    return true;
  }

  void answered(long to) {
    answered = Math.max(answered, to);
  }

  /** A new owner; answers what is wrong with it. */
  @Nullable Found claimed(Observation.Claimed claimed) {
    if (claimed.epoch() <= epoch) {
      return new Found(
          Rule.C10,
          "the claim on "
              + name
              + " has the epoch "
              + claimed.epoch()
              + ", and there is the epoch "
              + epoch
              + " already",
          null);
    }
    long before = Math.max(position, claimedAt);
    epoch = claimed.epoch();
    claim = claimed.epoch();
    claimedAt = claimed.position();
    return claimed.position() < before
        ? new Found(
            Rule.C9,
            "the position of " + name + " went back from " + before + " to " + claimed.position(),
            null)
        : null;
  }

  /** A commit begins; answers what is wrong with its owner, or with where it starts. */
  @Nullable Found begins(Observation.Commit commit) {
    if (commit.epoch() < epoch) {
      return new Found(
          Rule.C10,
          "the owner of epoch "
              + commit.epoch()
              + " committed "
              + name
              + ", which another owns since epoch "
              + epoch,
          null);
    }
    epoch = commit.epoch();
    if (commit.epoch() == claim && position < claimedAt) {
      return new Found(
          Rule.C9,
          "the owner of epoch "
              + commit.epoch()
              + " was told that "
              + name
              + " is at "
              + claimedAt
              + ", but "
              + position
              + " is committed",
          null);
    }
    if (commit.to() < commit.from()) {
      return new Found(
          Rule.C9,
          "a commit of " + name + " goes back from " + commit.from() + " to " + commit.to(),
          null);
    }
    return commit.from() == position
        ? null
        : new Found(
            Rule.C9,
            "a commit of "
                + name
                + " starts at "
                + commit.from()
                + ", but the position was "
                + position,
            null);
  }

  /** The next event before a position, which is committed by that; null where there is none. */
  Observation.@Nullable Input next(long to) {
    Observation.Input next = waiting.peek();
    if (next == null || next.at() >= to) {
      return null;
    }
    waiting.remove();
    position = next.next();
    return next;
  }

  /** A commit whose events were all taken; answers why it cannot end where it says. */
  @Nullable String endsElsewhere(Observation.Commit commit) {
    if (position < commit.to() && !waiting.isEmpty()) {
      // Nothing stands between, as the history knows by what comes next: a topic has such gaps.
      position = commit.to();
    }
    if (position == commit.to()) {
      return null;
    }
    return "a commit of "
        + name
        + " ends at "
        + commit.to()
        + (position < commit.to()
            ? ", but the history has its input up to " + position + " only"
            : ", inside the event that ends at " + position);
  }

  /** What a snapshot with another position than the committed one breaks. */
  @Nullable Found differs(long seen) {
    if (seen < answered) {
      return new Found(
          Rule.C1,
          "everything of "
              + name
              + " up to "
              + answered
              + " was answered as committed, and after a recovery it is at "
              + seen,
          null);
    }
    return seen == position
        ? null
        : new Found(Rule.C9, name + " is at " + seen + ", but " + position + " is committed", null);
  }

  /** What somebody was told to be committed, and is not. */
  List<Found> promised() {
    List<Found> found = new ArrayList<>();
    if (answered > position) {
      found.add(
          new Found(
              Rule.C1,
              "everything of "
                  + name
                  + " up to "
                  + answered
                  + " was answered as committed, and at the end it is at "
                  + position,
              null));
    }
    if (claimedAt > position) {
      found.add(
          new Found(
              Rule.C9,
              "an owner was told that "
                  + name
                  + " is at "
                  + claimedAt
                  + ", and at the end it is at "
                  + position,
              null));
    }
    return found;
  }
}
