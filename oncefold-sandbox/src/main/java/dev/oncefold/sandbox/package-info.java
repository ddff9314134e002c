/**
 * A real Kafka broker and a real PostgreSQL as child processes of a test, a demo or a benchmark: to
 * be killed, paused and started again on what they had on the disk. No Docker.
 */
@NullMarked
package dev.oncefold.sandbox;

import org.jspecify.annotations.NullMarked;
