package dev.oncefold.pipeline;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Follows the references in settings, <code>${env:NAME}</code>, <code>${file:/path}</code> and
 * <code>${file:/path:name}</code>, to what they stand for. No message tells a value.
 */
public final class References {
  private static final Pattern REFERENCE =
      Pattern.compile("\\$\\{(env|file):([^}:]+)(?::([^}]+))?}");

  private References() {}

  /** Something is not there that a setting refers to; the message says what to do. */
  public static final class Missing extends RuntimeException {
    private static final long serialVersionUID = 1;

    Missing(String message) {
      super(message);
    }
  }

  /**
   * The settings with what is referred to in place.
   *
   * @param settings the settings
   * @return their values by name
   * @throws Missing if something is not there
   */
  public static Map<String, String> followed(Settings settings) {
    return followed(settings, System::getenv);
  }

  static Map<String, String> followed(
      Settings settings, Function<String, @Nullable String> environment) {
    Map<String, String> followed = new LinkedHashMap<>();
    settings
        .values()
        .forEach(
            (name, value) -> {
              Matcher reference = REFERENCE.matcher(value);
              StringBuilder text = new StringBuilder();
              while (reference.find()) {
                String meant = meant(name, reference, environment);
                reference.appendReplacement(text, Matcher.quoteReplacement(meant));
              }
              followed.put(name, reference.appendTail(text).toString());
            });
    return followed;
  }

  private static String meant(
      String name, Matcher reference, Function<String, @Nullable String> environment) {
    String where = reference.group(2);
    if (reference.group(1).equals("env")) {
      String value = environment.apply(where);
      if (value == null) {
        throw new Missing(
            name + " is taken from the environment, and there is no " + where + " in it: set it");
      }
      return value;
    }
    Path file = Path.of(where);
    String property = reference.group(3);
    try {
      if (property == null) {
        return Files.readString(file).strip();
      }
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
      }
      String value = properties.getProperty(property);
      if (value == null) {
        throw new Missing(name + " is taken from " + file + ", which has no property " + property);
      }
      return value;
    } catch (IOException | IllegalArgumentException e) {
      // What the exception says may be a piece of the file.
      throw new Missing(
          name
              + " is taken from "
              + file
              + ", which "
              + (Files.exists(file) ? "cannot be read as text" : "is not there"));
    }
  }

  /**
   * What is referred to and is not there.
   *
   * @param settings the settings
   * @return a sentence for each
   */
  public static List<String> missing(Settings settings) {
    List<String> missing = new ArrayList<>();
    settings
        .values()
        .forEach(
            (name, value) -> {
              try {
                followed(new Settings(Map.of(name, value)));
              } catch (Missing e) {
                missing.add(String.valueOf(e.getMessage()));
              }
            });
    return missing;
  }
}
