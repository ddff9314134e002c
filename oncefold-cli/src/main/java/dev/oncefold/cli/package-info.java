/** The {@code oncefold} command. */
@NullMarked
package dev.oncefold.cli;

import org.jspecify.annotations.NullMarked;
