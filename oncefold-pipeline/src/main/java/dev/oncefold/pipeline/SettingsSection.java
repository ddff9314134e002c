package dev.oncefold.pipeline;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The option {@code properties}: settings of another system's client, and references in them. */
final class SettingsSection {
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]*)}?");
  private static final Pattern KNOWN =
      Pattern.compile("env:([A-Za-z_][A-Za-z0-9_]*)|file:([^:]+)(:[^:]+)?");

  private SettingsSection() {}

  /**
   * Reads the option.
   *
   * @param elsewhere settings that have an option of their own: what to write instead, by name
   * @param resolved finds a file that the pipeline names
   */
  static Settings read(
      Form form,
      Map<String, String> elsewhere,
      Function<String, Path> resolved,
      Problems problems) {
    Node node = form.get("properties");
    if (node == null) {
      return Settings.NONE;
    }
    if (!(node instanceof Node.Mapping mapping)) {
      problems.add(
          node,
          "properties are settings of the client and their values, such as \"client.id: accounts\"");
      return Settings.NONE;
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (Node.Entry entry : mapping.entries().values()) {
      String name = entry.key().text();
      String instead = elsewhere.get(name);
      if (instead != null) {
        problems.add(entry.key(), name + " is no property here: " + instead);
      } else if (entry.value() instanceof Node.Scalar scalar) {
        String value = value(scalar, resolved, problems);
        if (value != null) {
          values.put(name, value);
        }
      } else {
        // What stands there is not told: it may be a secret.
        problems.add(entry.value(), "the property " + name + " has one text as its value");
      }
    }
    return new Settings(values);
  }

  /** A value whose references can be followed; null where they cannot, which has been told. */
  static @Nullable String value(
      Node.Scalar scalar, Function<String, Path> resolved, Problems problems) {
    Matcher reference = REFERENCE.matcher(scalar.text());
    StringBuilder value = new StringBuilder();
    while (reference.find()) {
      Matcher known = KNOWN.matcher(reference.group(1));
      if (!reference.group().endsWith("}") || !known.matches()) {
        problems.add(
            scalar,
            "what is kept elsewhere is written ${env:NAME} for a variable of the environment,"
                + " ${file:/path} for what stands in a file, or ${file:/path:name} for a property in"
                + " it");
        return null;
      }
      String file = known.group(2);
      String meant =
          file == null
              ? reference.group()
              : "${file:"
                  + resolved.apply(file)
                  + (known.group(3) == null ? "" : known.group(3))
                  + "}";
      reference.appendReplacement(value, Matcher.quoteReplacement(meant));
    }
    return reference.appendTail(value).toString();
  }
}
