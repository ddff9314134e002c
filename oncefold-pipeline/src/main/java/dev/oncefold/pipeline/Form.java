package dev.oncefold.pipeline;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A mapping whose names are known beforehand: asks for values, and refuses other names. */
final class Form {
  private final String what;
  private final Node where;
  private final Map<String, Node.Entry> entries;
  private final Problems problems;

  /**
   * A form.
   *
   * @param what what it is, for messages: "csv"
   * @param node what stands there; a problem unless it is a mapping
   * @param known the names it may have
   */
  Form(String what, Node node, Problems problems, String... known) {
    this.what = what;
    this.where = node;
    this.problems = problems;
    if (node instanceof Node.Mapping mapping) {
      this.entries = mapping.entries();
    } else {
      this.entries = Map.of();
      problems.add(
          node,
          what
              + " needs a name before each value, such as "
              + example(node, known[0])
              + " (there is "
              + String.join(", ", known)
              + "), and this is "
              + node.told());
    }
    for (Node.Entry entry : entries.values()) {
      String name = entry.key().text();
      if (!Arrays.asList(known).contains(name)) {
        problems.add(
            entry.key(),
            "there is no \""
                + name
                + "\""
                + (what.isEmpty() ? "" : " in " + what)
                + likely(name, Arrays.asList(known)));
      }
    }
  }

  /** The value with the first of the names before it: mostly it is what was meant. */
  private String example(Node node, String name) {
    boolean isIt =
        node instanceof Node.Scalar scalar && !scalar.text().isBlank() && !what.equals("a step");
    return isIt ? "{ " + name + ": " + node.told() + " }" : "\"" + name + ": …\"";
  }

  Node where() {
    return where;
  }

  @Nullable Node get(String name) {
    Node.Entry entry = entries.get(name);
    return entry == null ? null : entry.value();
  }

  Node.@Nullable Scalar key(String name) {
    Node.Entry entry = entries.get(name);
    return entry == null ? null : entry.key();
  }

  /** A name where it stands in a mapping; null where it does not. */
  static Node.@Nullable Scalar key(Node node, String name) {
    return node instanceof Node.Mapping mapping && mapping.entries().containsKey(name)
        ? Objects.requireNonNull(mapping.entries().get(name)).key()
        : null;
  }

  boolean has(String name) {
    return entries.containsKey(name);
  }

  /** The text of a name, or null where it is not there; a problem where it is no text. */
  Node.@Nullable Scalar scalar(String name) {
    Node node = get(name);
    if (node == null) {
      return null;
    }
    if (node instanceof Node.Scalar scalar && !scalar.text().isBlank()) {
      return scalar;
    }
    problems.add(node, told(name) + " is a text, and this is " + node.told());
    return null;
  }

  @Nullable String text(String name) {
    Node.Scalar scalar = scalar(name);
    return scalar == null ? null : scalar.text();
  }

  /** The text of a name that must be there. */
  Node.@Nullable Scalar required(String name, String example) {
    if (!(where instanceof Node.Mapping)) {
      return null; // told already
    }
    if (!has(name)) {
      problems.add(where, told(name) + " is missing: write " + example);
      return null;
    }
    return scalar(name);
  }

  /** One of some words. */
  String choice(String name, String otherwise, String... choices) {
    Node.Scalar scalar = scalar(name);
    if (scalar == null) {
      return otherwise;
    }
    if (!Arrays.asList(choices).contains(scalar.text())) {
      problems.add(
          scalar,
          told(name) + " is " + String.join(" or ", choices) + ", not \"" + scalar.text() + "\"");
      return otherwise;
    }
    return scalar.text();
  }

  private String told(String name) {
    return what.isEmpty() || what.startsWith("a ") ? name : what + ": " + name;
  }

  /** A hint at the name that was meant, or at all there are. */
  static String likely(String name, Collection<String> known) {
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(name.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    if (best != null && least <= Math.max(1, name.length() / 3)) {
      return ": did you mean \"" + best + "\"?";
    }
    return known.isEmpty() ? "" : ": there is " + String.join(", ", List.copyOf(known));
  }

  /** How many letters must be changed, added, dropped or swapped with their neighbour. */
  private static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + same);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
