package dev.oncefold.kafka;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.jspecify.annotations.Nullable;

/**
 * The properties of a Kafka client: the user's, in which references to the environment and to files
 * are replaced, and what must be so.
 *
 * <p>No secret leaves it but in {@link #map}: Kafka's clients do not log the settings which they
 * know as secrets, and {@link #hidden} takes them out of what is told to a person.
 */
final class Settings {
  private static final Pattern REFERENCE = Pattern.compile("\\$\\{(env|file):([^}]*)}");
  // The options of a login module; a user name is no secret, and may be too short to look for.
  private static final Pattern OPTION =
      Pattern.compile("(\\w+)\\s*=\\s*(?:\"([^\"]*)\"|'([^']*)'|([^\\s;\"']+))");
  private static final String JAAS = "sasl.jaas.config";

  private final Map<String, Object> map = new HashMap<>();
  private final Set<String> secrets = new HashSet<>();
  private final Set<String> given;
  private final Function<String, ? extends RuntimeException> wrong;

  /**
   * The user's properties.
   *
   * @param given as the user wrote them
   * @param environment the environment's variables by name
   * @param wrong makes the exception for a property that cannot stand
   */
  Settings(
      Map<String, String> given,
      UnaryOperator<@Nullable String> environment,
      Function<String, ? extends RuntimeException> wrong) {
    this.given = given.keySet();
    this.wrong = wrong;
    given.forEach((name, value) -> map.put(name, resolved(name, value, environment)));
    for (Map.Entry<String, Object> entry : map.entrySet()) {
      ConfigDef.ConfigKey known = ConsumerConfig.configDef().configKeys().get(entry.getKey());
      if ((known != null && known.type == ConfigDef.Type.PASSWORD)
          || entry.getKey().endsWith(JAAS)) {
        secrets.add(entry.getValue().toString());
      }
      if (entry.getKey().endsWith(JAAS)) {
        Matcher option = OPTION.matcher(entry.getValue().toString());
        while (option.find()) {
          if (!option.group(1).equals("username")) {
            secrets.add(first(option.group(2), option.group(3), option.group(4)));
          }
        }
      }
    }
    secrets.remove("");
  }

  private static String first(@Nullable String... texts) {
    for (String text : texts) {
      if (text != null) {
        return text;
      }
    }
    return "";
  }

  private String resolved(String name, String value, UnaryOperator<@Nullable String> environment) {
    Matcher reference = REFERENCE.matcher(value);
    return reference.replaceAll(
        found -> {
          String secret =
              found.group(1).equals("env")
                  ? variable(name, found.group(2), environment)
                  : file(name, found.group(2));
          secrets.add(secret);
          return Matcher.quoteReplacement(secret);
        });
  }

  private String variable(
      String name, String variable, UnaryOperator<@Nullable String> environment) {
    String value = environment.apply(variable);
    if (value == null) {
      throw wrong.apply(
          "the setting "
              + name
              + " refers to the environment variable "
              + variable
              + ", which is not set. Set it");
    }
    return value;
  }

  /** The whole of a file, or behind a colon the name of one property in it. */
  private String file(String name, String reference) {
    int colon = reference.lastIndexOf(':');
    try {
      if (colon < 0 || Files.exists(Path.of(reference))) {
        return Files.readString(Path.of(reference)).strip();
      }
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(Path.of(reference.substring(0, colon)))) {
        properties.load(reader);
      }
      String value = properties.getProperty(reference.substring(colon + 1));
      if (value == null) {
        throw wrong.apply(
            "the setting "
                + name
                + " refers to the property "
                + reference.substring(colon + 1)
                + " of the file "
                + reference.substring(0, colon)
                + ", which has none of that name");
      }
      return value;
    } catch (IOException | IllegalArgumentException e) {
      // Without the cause: what cannot be parsed may be a secret.
      throw wrong.apply(
          "the setting "
              + name
              + " refers to the file "
              + reference
              + ", which cannot be read ("
              + e.getClass().getSimpleName()
              + "). Write ${file:/path} for the whole file, or ${file:/path:name} for one of its"
              + " properties");
    }
  }

  /** A setting that must be so. */
  Settings force(String name, String value, String why) {
    Object users = map.put(name, value);
    if (users != null && !users.equals(value)) {
      throw wrong.apply(
          "the setting " + name + " cannot be " + hidden(users.toString()) + ": " + why);
    }
    return this;
  }

  /** A setting that is so unless the user says otherwise. */
  Settings preset(String name, String value) {
    map.putIfAbsent(name, value);
    return this;
  }

  /** Whether the user has set it. */
  boolean has(String name) {
    return given.contains(name);
  }

  /** The value of a setting; null where it has none. */
  @Nullable String get(String name) {
    Object value = map.get(name);
    return value == null ? null : value.toString();
  }

  /** The properties for the client. */
  Map<String, Object> map() {
    return Map.copyOf(map);
  }

  /** A text without the secrets. */
  String hidden(String text) {
    String shown = text;
    for (String secret : secrets) {
      shown = shown.replace(secret, "[hidden]");
    }
    return shown;
  }

  /** An exception that may be told as a cause: null where its text has a secret in it. */
  @Nullable Throwable cause(Throwable thrown) {
    for (Throwable each = thrown; each != null; each = each.getCause()) {
      String told = each.toString();
      if (!hidden(told).equals(told)) {
        return null;
      }
    }
    return thrown;
  }

  /** What an exception says, and its causes behind it, without the secrets. */
  String told(Throwable thrown) {
    StringBuilder told = new StringBuilder();
    String before = "";
    for (Throwable each = thrown; each != null; each = each.getCause()) {
      String message = each.getMessage();
      String says =
          message == null || message.isBlank() ? each.getClass().getSimpleName() : message;
      if (!says.equals(before)) {
        told.append(told.isEmpty() ? "" : ": ").append(says);
      }
      before = says;
    }
    return hidden(told.toString());
  }

  /** The names alone. */
  @Override
  public String toString() {
    return map.keySet().toString();
  }
}
