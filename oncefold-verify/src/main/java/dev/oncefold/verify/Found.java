package dev.oncefold.verify;

import org.jspecify.annotations.Nullable;

/**
 * A broken rule, before its witness is looked for.
 *
 * @param rule the rule
 * @param message what is wrong
 * @param key the key that shows it, or null
 */
record Found(Rule rule, String message, @Nullable String key) {}
