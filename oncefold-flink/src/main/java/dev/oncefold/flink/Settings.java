package dev.oncefold.flink;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.CheckpointConfig;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Refuses settings under which events are lost or applied twice, where a job is built. */
final class Settings {
  private Settings() {}

  /** Checkpoints as a fold needs them, whatever its input and its sinks. */
  static void check(CheckpointConfig checkpoints) {
    if (!checkpoints.isCheckpointingEnabled()) {
      throw new FlinkFoldException(
          "checkpoints are off, and without them nothing that the fold stores survives a failure:"
              + " set execution.checkpointing.interval");
    }
    if (checkpoints.getCheckpointingConsistencyMode() != CheckpointingMode.EXACTLY_ONCE) {
      throw new FlinkFoldException(
          "execution.checkpointing.mode is "
              + checkpoints.getCheckpointingConsistencyMode()
              + ": a failure would apply events twice. Set it to EXACTLY_ONCE");
    }
  }

  /** Checkpoints that outlive the job, as one from topics to topics needs them. */
  static void checkKept(StreamExecutionEnvironment environment) {
    CheckpointConfig checkpoints = environment.getCheckpointConfig();
    check(checkpoints);
    ReadableConfig all = environment.getConfiguration();
    String directory = all.get(CheckpointingOptions.CHECKPOINTS_DIRECTORY);
    if (directory == null) {
      throw new FlinkFoldException(
          "checkpoints are kept in the memory of the JobManager and die with it, while what was sent"
              + " stays sent: set execution.checkpointing.dir to a directory that outlives all"
              + " machines");
    }
    ExternalizedCheckpointRetention kept = checkpoints.getExternalizedCheckpointRetention();
    if (kept != ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION) {
      throw new FlinkFoldException(
          "execution.checkpointing.externalized-checkpoint-retention is "
              + kept
              + ": a job that fails or is cancelled would take its last checkpoint with it, from"
              + " which alone it can go on. Set it to RETAIN_ON_CANCELLATION");
    }
    if (!all.get(CheckpointingOptions.ENABLE_CHECKPOINTS_AFTER_TASKS_FINISH)) {
      throw new FlinkFoldException(
          CheckpointingOptions.ENABLE_CHECKPOINTS_AFTER_TASKS_FINISH.key()
              + " is false: what was sent last would never be committed. Set it to true");
    }
  }

  /** Settings of Kafka's clients that the job makes itself, or that lose. */
  static void checkClients(Map<String, String> clients) {
    for (String taken :
        new String[] {
          "group.id",
          "auto.offset.reset",
          "enable.auto.commit",
          "commit.offsets.on.checkpoint",
          "transactional.id",
          "transaction.timeout.ms",
          "bootstrap.servers"
        }) {
      refuse(
          clients,
          taken,
          () -> true,
          "The job sets it: see FlinkJob.of and FlinkJob.transactionTimeout, and leave it out");
    }
    refuseUnless(
        clients,
        "isolation.level",
        "it would apply events of transactions that are aborted",
        "read_committed");
    refuseUnless(
        clients, "enable.idempotence", "messages could be lost, doubled or reordered", "true");
    refuseUnless(clients, "acks", "a broker that dies would take messages with it", "all", "-1");
  }

  private static void refuseUnless(
      Map<String, String> clients, String name, String why, String... fine) {
    String value = clients.getOrDefault(name, fine[0]).toLowerCase(Locale.ROOT);
    boolean good = List.of(fine).contains(value);
    refuse(clients, name, () -> !good, why + ". Set it to " + fine[0] + ", or leave it out");
  }

  private static void refuse(
      Map<String, String> clients, String name, BooleanSupplier bad, String why) {
    if (clients.containsKey(name) && bad.getAsBoolean()) {
      throw new FlinkFoldException("the setting " + name + " is " + clients.get(name) + ": " + why);
    }
  }

  /**
   * Refuses a transaction's timeout that may pass before the transaction is committed. It is begun
   * behind a checkpoint, and committed when the next is complete: after an interval, as long as
   * checkpoints may take, all of it again for each that may fail, and, where the job fails between
   * the checkpoint and the commit, as long as a restart may take.
   *
   * @param timeout of the transactions
   * @param restarts how long a restart may take
   * @param longest the longest that the brokers allow
   */
  static void checkTimeout(
      StreamExecutionEnvironment environment, Duration timeout, Duration restarts, long longest) {
    CheckpointConfig checkpoints = environment.getCheckpointConfig();
    if (timeout.toMillis() > longest) {
      throw new FlinkFoldException(
          "the transactions' timeout is "
              + timeout.toMillis()
              + " ms, and the brokers' transaction.max.timeout.ms is "
              + longest
              + ": the job would fail when it starts. Raise that, or give"
              + " FlinkJob.transactionTimeout less");
    }
    long interval =
        Math.max(checkpoints.getCheckpointInterval(), checkpoints.getMinPauseBetweenCheckpoints());
    Duration backlog =
        environment
            .getConfiguration()
            .getOptional(CheckpointingOptions.CHECKPOINTING_INTERVAL_DURING_BACKLOG)
            .orElse(Duration.ZERO);
    interval = Math.max(interval, backlog.toMillis());
    long tries = 1L + Math.max(0, checkpoints.getTolerableCheckpointFailureNumber());
    long needed = tries * (interval + checkpoints.getCheckpointTimeout()) + restarts.toMillis();
    if (timeout.toMillis() < needed) {
      throw new FlinkFoldException(
          "the transactions' timeout is "
              + timeout.toMillis()
              + " ms, and "
              + needed
              + " ms may pass before one is committed: "
              + tries
              + " (1 + execution.checkpointing.tolerable-failed-checkpoints) × ("
              + interval
              + " (the greatest of execution.checkpointing.interval, execution.checkpointing.min-pause"
              + " and execution.checkpointing.interval-during-backlog)"
              + " + execution.checkpointing.timeout "
              + checkpoints.getCheckpointTimeout()
              + ") + "
              + restarts.toMillis()
              + " for a restart. Outputs would be lost. Lower execution.checkpointing.timeout, or"
              + " raise FlinkJob.transactionTimeout and the brokers' transaction.max.timeout.ms ("
              + longest
              + ")");
    }
  }
}
