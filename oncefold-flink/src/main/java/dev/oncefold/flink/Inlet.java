package dev.oncefold.flink;

import java.io.Serializable;
import java.util.Properties;

/**
 * What the tasks know of the input.
 *
 * @param plan the fold
 * @param settings of the consumers, with the group
 * @param connecting connects to the cluster
 * @param pause how long to wait between two looks at what is unread, in milliseconds
 */
record Inlet<E>(
    FlinkFold<?, E, ?> plan, Properties settings, Cluster.Connecting connecting, long pause)
    implements Serializable {
  private static final long serialVersionUID = 1;

  Cluster connect() {
    return connecting.connect(settings);
  }

  String group() {
    return settings.getProperty("group.id");
  }
}
