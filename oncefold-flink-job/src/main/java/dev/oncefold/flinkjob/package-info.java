/** A pipeline file as a job of Flink. */
@NullMarked
package dev.oncefold.flinkjob;

import org.jspecify.annotations.NullMarked;
