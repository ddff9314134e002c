package dev.oncefold.verify;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The slots as they should be, beside those that were seen in snapshots and by queries. */
final class Slots {
  /** For so many commits it is known again that the state is as of one of them. */
  private static final int BOUNDARIES = 1024;

  /** Of so many versions of a key it is known again what was in them. */
  static final int RECENT = 8;

  private final Model model;
  private final @Nullable Long conserved;
  private final Map<String, Key> keys = new HashMap<>();
  private final List<Key> touched = new ArrayList<>();
  private final long[] boundaries = new long[BOUNDARIES];
  private long commits;
  private long digest;
  private long observedDigest;
  private long observedShare;
  private long present;
  private final Map<String, Map<String, Seen>> sessions = new HashMap<>();
  private final Set<Key> pending = new HashSet<>();

  /** A key: as it should be, and as it was in the last snapshot. */
  private static final class Key {
    final String name;
    long version;
    @Nullable String state;
    long deletions;
    // The greatest version that it had when it was deleted.
    long former;
    long observedVersion;
    @Nullable String observedState;
    boolean touched;
    // Versions that queries have shown before their commits were seen; null where there are none.
    @Nullable NavigableMap<Long, String> shown;
    // Hashes of the last versions; null while there was one only, as with most keys of many.
    long @Nullable [] recent;

    Key(String name) {
      this.name = name;
    }
  }

  /**
   * What a session saw of a key last.
   *
   * @param deletions how often the key had been deleted before, at least
   * @param version its version
   */
  private record Seen(long deletions, long version) {}

  Slots(Model model, @Nullable Long conserved) {
    this.model = model;
    this.conserved = conserved;
  }

  long present() {
    return present;
  }

  @Nullable String state(String key) {
    Key found = keys.get(key);
    return found == null ? null : found.state;
  }

  private Key key(String name) {
    return keys.computeIfAbsent(name, Key::new);
  }

  private void touch(Key key) {
    if (!key.touched) {
      key.touched = true;
      touched.add(key);
    }
  }

  private static long hash(Key key, long version, @Nullable String state) {
    return version == 0 ? 0 : Hash.of(Hash.of(version, key.name), state);
  }

  // ---------------------------------------------------------------- as it should be

  /** An event was applied. */
  @Nullable Found change(String name, @Nullable String state) {
    Key key = key(name);
    touch(key);
    long before = hash(key, key.version, key.state);
    digest -= before;
    present += (state == null ? 0 : 1) - (key.state == null ? 0 : 1);
    key.former = state == null ? Math.max(key.former, key.version) : key.former;
    key.version = state == null ? 0 : key.version + 1;
    key.deletions += state == null ? 1 : 0;
    key.state = state;
    digest += hash(key, key.version, key.state);
    keep(key, before);
    if (key.shown != null && key.shown.containsKey(key.version)) {
      String shown = key.shown.remove(key.version);
      if (key.shown.isEmpty()) {
        key.shown = null;
        pending.remove(key);
      }
      if (!Objects.equals(shown, state)) {
        return new Found(
            Rule.C8,
            "a query was shown version "
                + key.version
                + " of "
                + name
                + " as "
                + shown
                + ", and it was committed as "
                + state,
            name);
      }
    }
    return null;
  }

  private static void keep(Key key, long before) {
    if (key.state == null) {
      key.recent = null;
    } else if (key.recent != null || key.version > 1) {
      if (key.recent == null) {
        key.recent = new long[RECENT];
        key.recent[(int) ((key.version - 1) % RECENT)] = before;
      }
      key.recent[(int) (key.version % RECENT)] = hash(key, key.version, key.state);
    }
  }

  /** A commit ends here. */
  void boundary() {
    boundaries[(int) (commits++ % BOUNDARIES)] = digest;
  }

  // ---------------------------------------------------------------- as it was seen

  void observed(Observation.Slot slot) {
    Key key = key(slot.key());
    touch(key);
    observedDigest -= hash(key, key.observedVersion, key.observedState);
    observedShare -= share(key.observedState);
    key.observedVersion = slot.version();
    key.observedState = slot.state();
    observedDigest += hash(key, key.observedVersion, key.observedState);
    observedShare += share(key.observedState);
  }

  private long share(@Nullable String state) {
    return conserved == null || state == null ? 0 : model.share(state);
  }

  /**
   * Compares the snapshot that was seen with what should be there.
   *
   * @param positionsHold whether the positions are those that are committed; where they went back
   *     it is no wonder that the state did, too
   */
  List<Found> compare(boolean positionsHold) {
    List<Found> found = new ArrayList<>(notCommitted());
    Map<Rule, Found> differing = new EnumMap<>(Rule.class);
    int keysDiffering = 0;
    for (Key key : touched) {
      if (key.version == key.observedVersion && Objects.equals(key.state, key.observedState)) {
        continue;
      }
      keysDiffering++;
      Rule rule = diagnose(key);
      differing.putIfAbsent(
          rule,
          new Found(
              rule,
              "after a recovery "
                  + key.name
                  + " is "
                  + told(key.observedVersion, key.observedState)
                  + ", not "
                  + told(key.version, key.state),
              key.name));
    }
    touched.forEach(key -> key.touched = false);
    touched.clear();
    int before = keysDiffering == 0 ? 0 : boundariesAgo();
    if (before > 0 && !positionsHold) {
      return found;
    } else if (before > 0) {
      found.add(
          new Found(
              Rule.C9,
              "the position is ahead of the state: the state is that of "
                  + before
                  + (before == 1 ? " commit" : " commits")
                  + " before",
              null));
    }
    if (conserved != null && observedShare != conserved) {
      found.add(
          new Found(
              Rule.C7,
              "after a recovery the sum over all keys is " + observedShare + ", not " + conserved,
              null));
    }
    for (Found one : differing.values()) {
      String others =
          keysDiffering == 1 ? "" : " (" + keysDiffering + " keys differ in this snapshot)";
      found.add(new Found(one.rule(), one.message() + others, one.key()));
    }
    return found;
  }

  private Rule diagnose(Key key) {
    Rule rule =
        Objects.equals(key.state, key.observedState)
            ? null
            : model.diagnose(key.state, key.observedState);
    if (rule != null) {
      return rule;
    } else if (key.observedVersion < key.version) {
      return Rule.C1;
    } else if (key.observedVersion > key.version) {
      return key.version == 0 && key.deletions == 0 ? Rule.C3 : Rule.C2;
    }
    return Rule.C5;
  }

  private static String told(long version, @Nullable String state) {
    return state == null ? "absent" : "\"" + state + "\" (version " + version + ")";
  }

  /** As of how many commits before the observed state is; 0 where it is of none of the last. */
  private int boundariesAgo() {
    if (observedDigest == 0 && commits <= BOUNDARIES) {
      return (int) commits;
    }
    for (int ago = 1; ago < Math.min(commits, BOUNDARIES); ago++) {
      if (boundaries[(int) ((commits - 1 - ago) % BOUNDARIES)] == observedDigest) {
        return ago;
      }
    }
    return 0;
  }

  // ---------------------------------------------------------------- queries

  @Nullable Found query(Observation.Query query) {
    long sum = 0;
    Map<String, Seen> before = sessions.computeIfAbsent(query.session(), s -> new HashMap<>());
    Set<String> keysShown = new HashSet<>();
    for (Observation.Slot slot : query.slots()) {
      sum += share(slot.state());
      keysShown.add(slot.key());
      Found found = query(query.session(), before, slot);
      if (found != null) {
        return found;
      }
    }
    if (query.whole()) {
      for (String gone : List.copyOf(before.keySet())) {
        Found found =
            keysShown.contains(gone)
                ? null
                : query(query.session(), before, new Observation.Slot(gone, 0, null));
        if (found != null) {
          return found;
        }
      }
    }
    if (query.whole() && conserved != null && sum != conserved) {
      return new Found(
          Rule.C7,
          "a query by "
              + query.session()
              + " was shown slots whose sum is "
              + sum
              + ", not "
              + conserved,
          null);
    }
    return null;
  }

  private @Nullable Found query(String session, Map<String, Seen> asked, Observation.Slot slot) {
    Key key = key(slot.key());
    Seen before = asked.get(slot.key());
    boolean older = before != null && slot.version() < before.version();
    // Who lags behind may see what stood there before the key was deleted.
    boolean maybeFormer = slot.version() <= key.former;
    long deletions =
        maybeFormer ? (before == null ? 0 : before.deletions()) + (older ? 1 : 0) : key.deletions;
    asked.put(slot.key(), new Seen(deletions, slot.version()));
    if (before != null
        && (deletions > key.deletions || (older && deletions == before.deletions()))) {
      return new Found(
          Rule.C8,
          session
              + " was shown version "
              + slot.version()
              + " of "
              + slot.key()
              + " after version "
              + before.version(),
          slot.key());
    }
    if (maybeFormer) {
      return null;
    } else if (slot.version() > key.version) {
      return shownAhead(session, key, slot);
    } else if (!was(key, slot)) {
      return new Found(
          Rule.C8,
          session
              + " was shown "
              + slot.key()
              + " as "
              + told(slot.version(), slot.state())
              + ", committed is "
              + (slot.version() == key.version ? "" : "another with that version, and now ")
              + told(key.version, key.state),
          slot.key());
    }
    return null;
  }

  /** Whether the key was like this, as far as it is known. */
  private static boolean was(Key key, Observation.Slot slot) {
    if (slot.version() == key.version) {
      return Objects.equals(slot.state(), key.state);
    }
    long kept = key.recent == null ? 0 : key.recent[(int) (slot.version() % RECENT)];
    return slot.version() <= key.version - RECENT
        || kept == 0
        || kept == hash(key, slot.version(), slot.state());
  }

  private @Nullable Found shownAhead(String session, Key key, Observation.Slot slot) {
    if (key.shown == null) {
      key.shown = new TreeMap<>();
      pending.add(key);
    }
    String state = String.valueOf(slot.state());
    String other = key.shown.putIfAbsent(slot.version(), state);
    return other == null || other.equals(state)
        ? null
        : new Found(
            Rule.C8,
            session
                + " was shown version "
                + slot.version()
                + " of "
                + key.name
                + " as "
                + state
                + ", and somebody else as "
                + other,
            key.name);
  }

  /** What queries have shown and nobody has committed, now that nothing is in flight. */
  List<Found> notCommitted() {
    for (Key key : pending) {
      Map.Entry<Long, String> shown = Objects.requireNonNull(key.shown).firstEntry();
      return List.of(
          new Found(
              Rule.C8,
              "a query was shown "
                  + key.name
                  + " as "
                  + told(shown.getKey(), shown.getValue())
                  + ", which was never committed",
              key.name));
    }
    return List.of();
  }
}
