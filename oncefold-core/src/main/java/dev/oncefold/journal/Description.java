package dev.oncefold.journal;

import dev.oncefold.Fold;

/**
 * What a journal says of itself, as of the last time it was opened.
 *
 * @param fold the name of its fold
 * @param version the version of the fold
 * @param ids how ids are remembered
 * @param rules the text of the rules; empty where the fold gave none
 * @param history whether each event and the state after it are kept
 * @param stateSchema the schema of the states, as the fold's codec gives it
 */
public record Description(
    String fold,
    int version,
    Fold.Ids.Kind ids,
    String rules,
    boolean history,
    String stateSchema) {}
