package dev.oncefold.pipeline;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Settings for the client of another system, as the file has them. Values may be secrets, or
 * references to them, <code>${env:NAME}</code> and <code>${file:/path}</code>, which nothing here
 * resolves: so {@link #toString} tells the names alone.
 *
 * <p>Immutable, compared by value.
 *
 * @param values the values by name, in the order of the file
 */
public record Settings(Map<String, String> values) {
  /** No settings. */
  public static final Settings NONE = new Settings(Map.of());

  public Settings {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /**
   * What is set.
   *
   * @return the names
   */
  public Set<String> names() {
    return values.keySet();
  }

  /** The names, and none of the values. */
  @Override
  public String toString() {
    return names().toString();
  }
}
