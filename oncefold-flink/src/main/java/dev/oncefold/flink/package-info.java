/** The fold inside a Flink job: everything of an event in one checkpoint. */
@NullMarked
package dev.oncefold.flink;

import org.jspecify.annotations.NullMarked;
