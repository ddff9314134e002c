/** The pipeline file: the same fold as in Java, from YAML and CEL. */
@NullMarked
package dev.oncefold.pipeline;

import org.jspecify.annotations.NullMarked;
