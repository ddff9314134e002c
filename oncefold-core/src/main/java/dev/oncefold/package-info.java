/**
 * The model of Oncefold: events, folds, the kernel that judges one event, and the walk that brings
 * events from a source into a store.
 */
@NullMarked
package dev.oncefold;

import org.jspecify.annotations.NullMarked;
