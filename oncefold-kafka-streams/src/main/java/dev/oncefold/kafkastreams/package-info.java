/** The fold inside a Kafka Streams application: everything of an event in its transaction. */
@NullMarked
package dev.oncefold.kafkastreams;

import org.jspecify.annotations.NullMarked;
