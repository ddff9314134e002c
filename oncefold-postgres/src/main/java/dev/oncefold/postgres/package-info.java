/** The store in PostgreSQL. */
@NullMarked
package dev.oncefold.postgres;

import org.jspecify.annotations.NullMarked;
