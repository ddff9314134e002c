package dev.oncefold.flink;

import dev.oncefold.Kernel;
import org.apache.kafka.common.TopicPartition;

/** How far a reader has come in one partition of its own. */
final class Lane {
  final TopicPartition partition;

  /** Where it reads on; below zero where it begins and has read nothing. */
  volatile long next;

  /** The greatest believable time of what it has read. */
  long watermark = Kernel.NO_FLOOR;

  /** Whether it was at the end when somebody looked last, and has read nothing since. */
  boolean drained;

  Lane(TopicPartition partition, long next) {
    this.partition = partition;
    this.next = next;
  }
}
