package dev.oncefold.pipeline;

import dev.oncefold.journal.Options;
import java.nio.file.Path;
import java.time.Duration;

/** Where the state of a pipeline is kept. */
public sealed interface Storage {
  /**
   * A journal.
   *
   * @param directory the journal's directory
   * @param history whether each event and the state after it are kept
   */
  record Journal(Path directory, boolean history) implements Storage {
    /**
     * How the journal is to be opened.
     *
     * @return the options
     */
    public Options options() {
      return Options.defaults().history(history ? Options.History.FULL : Options.History.NONE);
    }
  }

  /**
   * A table of a PostgreSQL database.
   *
   * @param url the database, as the JDBC driver takes it; it holds no password
   * @param table the table with a row for each key, {@code name} or {@code schema.name}
   * @param key the name of the table's key column
   * @param schema the schema of the store's own tables
   * @param keys what is known of the keys
   * @param properties further settings of the driver, {@code user} and {@code password} among them
   */
  record Postgres(
      String url, String table, String key, String schema, Keys keys, Settings properties)
      implements Storage {}

  /**
   * Topics of an application of Kafka Streams, which applies the fold itself.
   *
   * @param application the application's id
   * @param bootstrap the brokers to ask first, as {@code host:port}
   * @param threads how many threads of an instance apply events
   * @param repartitions whether events go through a topic under their own keys
   * @param partitions how many partitions that topic has; 0 for as many as the source
   * @param properties further settings of Kafka Streams
   */
  record KafkaStreams(
      String application,
      String bootstrap,
      int threads,
      boolean repartitions,
      int partitions,
      Settings properties)
      implements Storage {}

  /**
   * Checkpoints of a job of Flink, which applies the fold itself.
   *
   * @param job the name of the job
   * @param bootstrap the brokers to ask first, as {@code host:port}
   * @param parallelism how many subtasks apply events; 0 where the file does not say
   * @param checkpoints where and when they are taken
   * @param backend what holds the state between them
   * @param properties further settings of Kafka's clients
   */
  record Flink(
      String job,
      String bootstrap,
      int parallelism,
      Checkpoints checkpoints,
      Backend backend,
      Settings properties)
      implements Storage {}

  /**
   * Where and when a job of Flink takes its checkpoints.
   *
   * @param directory the directory, as a URI
   * @param interval how often
   * @param timeout how long one may take
   */
  record Checkpoints(String directory, Duration interval, Duration timeout) {}

  /** What holds the state of a job of Flink between checkpoints. */
  enum Backend {
    /** Memory, as objects. */
    HASHMAP,
    /** RocksDB, on the disks of the machines that apply events. */
    ROCKSDB,
    /** ForSt, on the disks of those machines or in a remote file system. */
    FORST
  }

  /** What is known of the keys of a PostgreSQL store. */
  enum Keys {
    /** A key is in one partition of the source only: its state is held in memory. */
    OWNED,
    /** A key may be in several partitions: its row is locked and read in every batch. */
    SHARED
  }
}
