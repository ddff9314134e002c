/**
 * Whether an engine kept its promise: the history of a run, the checker that judges it, and the
 * faults that a run goes through. Nothing here knows an engine.
 */
@NullMarked
package dev.oncefold.verify;

import org.jspecify.annotations.NullMarked;
