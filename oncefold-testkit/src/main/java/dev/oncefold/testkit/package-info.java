/** The conformance suite that every engine passes, and the crash rig for users' folds. */
@NullMarked
package dev.oncefold.testkit;

import org.jspecify.annotations.NullMarked;
