package dev.oncefold.pipeline;

import dev.oncefold.Fold;
import dev.oncefold.journal.Description;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How a pipeline differs from what its store was written with.
 *
 * @param kind how far it differs
 * @param gone lines of the rules that are not there any more
 * @param added lines of the rules that were not there
 * @param reason why the store cannot go on with it; empty unless it is {@link Kind#REFUSED} or
 *     {@link Kind#OTHER_FOLD}
 */
public record Change(Kind kind, List<String> gone, List<String> added, String reason) {
  private static final String STATE = "state: ";

  /** How far a pipeline differs. */
  public enum Kind {
    /** Not at all. */
    NONE,
    /** Fields were added to the state, and nothing else: what is stored gets their first values. */
    STATE_ADDED,
    /** Other rules: judge history again, or accept them for what comes. */
    RULES,
    /** What is stored would be lost or misread: only a rebuild can go on. */
    REFUSED,
    /** Another fold's store. */
    OTHER_FOLD
  }

  static Change between(Description stored, Fold<?, ?, ?> fold) {
    if (!stored.fold().equals(fold.name())) {
      return new Change(
          Kind.OTHER_FOLD,
          List.of(),
          List.of(),
          "the journal belongs to \"" + stored.fold() + "\", not to \"" + fold.name() + "\"");
    }
    List<String> gone = missing(stored.rules(), fold.rules());
    List<String> added = missing(fold.rules(), stored.rules());
    String refused = refused(gone, added);
    if (!refused.isEmpty()) {
      return new Change(Kind.REFUSED, gone, added, refused);
    }
    if (stored.version() != fold.version()) {
      added.add(0, "version: " + fold.version());
      gone.add(0, "version: " + stored.version());
    }
    if (stored.ids() != fold.ids().kind()) {
      added.add("remember: " + fold.ids().kind());
      gone.add("remember: " + stored.ids());
    }
    boolean stateOnly = gone.isEmpty() && added.stream().allMatch(line -> line.startsWith(STATE));
    Kind kind =
        !stateOnly || !sameOrder(stored.rules(), fold.rules())
            ? Kind.RULES
            : added.isEmpty() ? Kind.NONE : Kind.STATE_ADDED;
    return new Change(kind, gone, added, "");
  }

  /** Steps in another order are other rules, though every line is there. */
  private static boolean sameOrder(String a, String b) {
    return steps(a).equals(steps(b));
  }

  private static List<String> steps(String rules) {
    return rules.lines().filter(line -> !line.startsWith(STATE)).toList();
  }

  private static List<String> missing(String rules, String in) {
    Set<String> there = new LinkedHashSet<>(in.lines().toList());
    List<String> missing = new ArrayList<>();
    rules.lines().filter(line -> !there.contains(line)).forEach(missing::add);
    return missing;
  }

  private static String refused(List<String> gone, List<String> added) {
    Map<String, String> before = types(gone);
    Map<String, String> now = types(added);
    for (Map.Entry<String, String> field : before.entrySet()) {
      String type = now.get(field.getKey());
      if (type == null) {
        return "the field \""
            + field.getKey()
            + "\" ("
            + field.getValue()
            + ") of the state is gone, and what is stored in it would be lost";
      }
      if (!type.equals(field.getValue())) {
        return "the field \""
            + field.getKey()
            + "\" of the state was "
            + field.getValue()
            + " and is "
            + type
            + " now, and what is stored would be misread";
      }
    }
    return "";
  }

  /** The types of the state's fields in some lines, by name. */
  private static Map<String, String> types(List<String> lines) {
    Map<String, String> types = new LinkedHashMap<>();
    for (String line : lines) {
      if (line.startsWith(STATE)) {
        String[] words = line.substring(STATE.length()).split(" ", 3);
        types.put(words[0], words[1]);
      }
    }
    return types;
  }

  /** The line of the rules for a field of the state. */
  static String line(String field, String typeAndInitial) {
    return STATE + field + " " + typeAndInitial;
  }
}
