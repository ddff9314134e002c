/** Measures Oncefold beside its limits and peers, in one run. */
@NullMarked
package dev.oncefold.bench;

import org.jspecify.annotations.NullMarked;
