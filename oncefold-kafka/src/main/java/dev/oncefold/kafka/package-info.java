/** Events from Kafka, and outputs and refusals into Kafka, each exactly once. */
@NullMarked
package dev.oncefold.kafka;

import org.jspecify.annotations.NullMarked;
