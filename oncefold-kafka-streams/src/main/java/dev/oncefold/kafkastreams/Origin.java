package dev.oncefold.kafkastreams;

import org.apache.kafka.common.TopicPartition;

/**
 * Where an event was read first, which repartitioning does not change.
 *
 * @param topic the topic
 * @param topicId the topic's id in the cluster, which a topic made anew does not have; empty where
 *     the stream is not known to be a topic read straight
 * @param partition the partition
 * @param offset the offset of the record
 * @param place the place among the events that were made of one record, from 0
 */
record Origin(String topic, String topicId, int partition, long offset, int place) {
  /** As other engines name the partition. */
  String partitionName() {
    return topic + '-' + partition;
  }

  /** The id of an event that has none of its own. */
  String id() {
    String id = topic + '-' + partition + '@' + offset;
    return place == 0 ? id : id + '.' + place;
  }

  TopicPartition topicPartition() {
    return new TopicPartition(topic, partition);
  }
}
