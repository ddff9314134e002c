package dev.oncefold;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The states of the keys that one event names, in the order named. Immutable: {@link #with} answers
 * a new value.
 *
 * @param <S> the type of one key's state
 */
public final class States<S> {
  private final List<String> keys;
  private final @Nullable Object[] states;

  private States(List<String> keys, @Nullable Object[] states) {
    this.keys = keys;
    this.states = states;
  }

  static <S> States<S> one(String key, @Nullable S state) {
    return new States<>(List.of(key), new @Nullable Object[] {state});
  }

  static <S> States<S> of(List<String> keys, List<? extends @Nullable S> states) {
    return new States<>(List.copyOf(keys), states.toArray());
  }

  /**
   * The keys that the event named.
   *
   * @return the keys, in order, each once
   */
  public List<String> keys() {
    return keys;
  }

  /**
   * The state of a key.
   *
   * @param key one of {@link #keys}
   * @return its state; in what an update is given that is the fold's initial state where the key
   *     has none
   * @throws IllegalArgumentException if the event did not name the key, or if the key was deleted
   *     by {@link #without}
   */
  public S get(String key) {
    S state = orNull(key);
    if (state == null) {
      throw new IllegalArgumentException("the key \"" + key + "\" was deleted");
    }
    return state;
  }

  /**
   * The state of a key, or null where it is deleted.
   *
   * @param key one of {@link #keys}
   * @return its state, or null
   * @throws IllegalArgumentException if the event did not name the key
   */
  public @Nullable S orNull(String key) {
    return at(place(key));
  }

  /**
   * The same states with one of them replaced.
   *
   * @param key one of {@link #keys}
   * @param state its new state
   * @return new states
   * @throws IllegalArgumentException if the event did not name the key
   */
  public States<S> with(String key, S state) {
    return replaced(key, Objects.requireNonNull(state, "use without(key) to delete a key"));
  }

  /**
   * The same states with one key deleted.
   *
   * @param key one of {@link #keys}
   * @return new states
   * @throws IllegalArgumentException if the event did not name the key
   */
  public States<S> without(String key) {
    return replaced(key, null);
  }

  int size() {
    return states.length;
  }

  @SuppressWarnings("unchecked") // only values of S are ever put in
  @Nullable S at(int place) {
    return (S) states[place];
  }

  private States<S> replaced(String key, @Nullable S state) {
    @Nullable Object[] copy = states.clone();
    copy[place(key)] = state;
    return new States<>(keys, copy);
  }

  private int place(String key) {
    int place = keys.indexOf(key);
    if (place < 0) {
      throw new IllegalArgumentException(
          "the event does not name the key \"" + key + "\"; it names " + keys);
    }
    return place;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof States<?> that
        && keys.equals(that.keys)
        && Arrays.equals(states, that.states);
  }

  @Override
  public int hashCode() {
    return 31 * keys.hashCode() + Arrays.hashCode(states);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("{");
    for (int i = 0; i < states.length; i++) {
      text.append(i == 0 ? "" : ", ").append(keys.get(i)).append('=').append(states[i]);
    }
    return text.append('}').toString();
  }
}
