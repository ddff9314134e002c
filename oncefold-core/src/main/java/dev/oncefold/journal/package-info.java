/** The embedded store: one append-only log of commits, and what is rebuilt from it. */
@NullMarked
package dev.oncefold.journal;

import org.jspecify.annotations.NullMarked;
