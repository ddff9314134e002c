package dev.oncefold;

/**
 * All that is stored for one key.
 *
 * @param state the state
 * @param version how many times the key has changed since it last came into being, from 1
 * @param <S> the type of the state
 */
public record Slot<S>(S state, long version) {}
