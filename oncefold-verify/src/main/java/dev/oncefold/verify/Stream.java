package dev.oncefold.verify;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The outputs of each name and key, or the refusals of each key: those that should have come beside
 * those that each reader read. Of each key only how many there are and a hash over them in order;
 * which one is wrong is found by reading the history again with the eye on one key.
 */
final class Stream {
  private final String what;
  private final @Nullable String focus;
  private final Map<String, Chain> expected = new HashMap<>();
  private final Map<String, Map<String, Chain>> readers = new LinkedHashMap<>();
  long read;

  /** All of one key. */
  private static final class Chain {
    long count;
    long hash;
    // Of the key in focus only.
    final List<Item> items = new ArrayList<>();
  }

  private record Item(String id, String value) {}

  /**
   * A stream.
   *
   * @param what its items in words
   * @param focus the key of which every item is kept, or null
   */
  Stream(String what, @Nullable String focus) {
    this.what = what;
    this.focus = focus;
  }

  void expect(String name, String key, String id, String value) {
    add(expected, chain(name, key), id, value);
  }

  void read(String reader, String name, String key, String id, String value) {
    read++;
    add(readers.computeIfAbsent(reader, r -> new HashMap<>()), chain(name, key), id, value);
  }

  /** Outputs of different names may stand in different files: between them there is no order. */
  private static String chain(String name, String key) {
    return name.length() + ":" + name + key;
  }

  private static String key(String chain) {
    int colon = chain.indexOf(':');
    return chain.substring(colon + 1 + Integer.parseInt(chain.substring(0, colon)));
  }

  private void add(Map<String, Chain> chains, String key, String id, String value) {
    Chain chain = chains.computeIfAbsent(key, k -> new Chain());
    chain.count++;
    chain.hash = Hash.of(Hash.of(chain.hash, id), value);
    if (key.equals(focus)) {
      chain.items.add(new Item(id, value));
    }
  }

  boolean isEmpty() {
    return expected.isEmpty();
  }

  /** The key of which a reader that has read everything read something else than it should. */
  @Nullable String differing(String reader) {
    Map<String, Chain> chains = readers.getOrDefault(reader, Map.of());
    Set<String> keys = new LinkedHashSet<>(chains.keySet());
    if (!expected.keySet().equals(keys)) {
      keys.addAll(expected.keySet());
    }
    for (String key : keys) {
      Chain should = expected.get(key);
      Chain is = chains.get(key);
      if (should == null || is == null || should.count != is.count || should.hash != is.hash) {
        return key;
      }
    }
    return null;
  }

  /** What is wrong with the key in focus. */
  Found diagnose(String reader, String key, Rule missing) {
    List<Item> should = items(expected, key);
    List<Item> is = items(readers.getOrDefault(reader, Map.of()), key);
    Map<String, List<String>> values = new HashMap<>();
    should.forEach(
        item -> values.computeIfAbsent(item.id(), id -> new ArrayList<>()).add(item.value()));
    Set<Item> seen = new HashSet<>();
    for (Item item : is) {
      List<String> left = values.get(item.id());
      if (left == null) {
        return found(Rule.C3, reader, key, item, "belongs to no event that was applied");
      } else if (left.remove(item.value())) {
        seen.add(item);
      } else if (seen.contains(item)) {
        return found(Rule.C6, reader, key, item, "was read twice");
      } else {
        return left.isEmpty()
            ? found(Rule.C3, reader, key, item, "is another than the one with its id")
            : is.contains(new Item(item.id(), left.get(0)))
                ? found(
                    Rule.C3,
                    reader,
                    key,
                    item,
                    "is of another attempt than the one that was applied")
                : found(missing, reader, key, item, "should have the value " + left.get(0));
      }
    }
    for (Item item : should) {
      // The same item may be due more than once: a conflict that was sent again.
      if (values.getOrDefault(item.id(), List.of()).contains(item.value())) {
        return found(missing, reader, key, item, "is missing");
      }
    }
    for (int i = 0; i < is.size(); i++) {
      if (!is.get(i).equals(should.get(i))) {
        return found(
            Rule.C6, reader, key, is.get(i), "stands where " + should.get(i).id() + " should be");
      }
    }
    throw new IllegalStateException("nothing differs"); // a hash cannot differ of equal items
  }

  private static List<Item> items(Map<String, Chain> chains, String key) {
    Chain chain = chains.get(key);
    return chain == null ? List.of() : chain.items;
  }

  private Found found(Rule rule, String reader, String chain, Item item, String how) {
    String key = key(chain);
    return new Found(
        rule,
        reader + ": " + what + " " + item.id() + " (" + item.value() + ") of " + key + " " + how,
        key);
  }
}
