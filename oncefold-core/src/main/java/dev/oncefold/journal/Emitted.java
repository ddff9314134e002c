package dev.oncefold.journal;

/**
 * A committed output.
 *
 * @param id unique for ever: {@code fold/key/event id/n}; only where the fold remembers no ids, and
 *     an event is sent again, is it that of the first output again
 * @param name the output's name
 * @param key the key of the event that emitted it
 * @param sequence the sequence of that event; grows along the journal
 * @param value the value
 * @param <O> the type of the outputs
 */
public record Emitted<O>(String id, String name, String key, long sequence, O value) {}
