/** Complete programs, each in one file. */
@NullMarked
package dev.oncefold.examples;

import org.jspecify.annotations.NullMarked;
