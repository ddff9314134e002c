package dev.oncefold.pipeline;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The section {@code engine}: what runs the fold, where the command does not do so itself. */
final class EngineSection {
  static final String STREAMS = "kafka-streams";
  static final String FLINK = "flink";
  private static final String DIRECTORY = "\"checkpoints: { directory: /var/lib/accounts }\"";
  private static final int MAX_THREADS = 1_000;
  private static final int MAX_PARALLELISM = 1_000;
  private static final int MAX_PARTITIONS = 100_000;
  private static final Map<String, String> ELSEWHERE =
      Map.of(
          "bootstrap.servers", "it is the source's bootstrap",
          "application.id", "write \"application: accounts\" beside properties",
          "num.stream.threads", "write \"threads: 2\" beside properties",
          "processing.guarantee", "it is exactly_once_v2, always",
          "auto.offset.reset", "a topic is read from its beginning, and no record of it is skipped",
          "isolation.level", "only what is committed is read, always",
          "consumer.isolation.level", "only what is committed is read, always",
          "main.consumer.isolation.level", "only what is committed is read, always");

  private static final Map<String, String> NOT_ON_FLINK =
      Map.of(
          "bootstrap.servers", "it is the source's bootstrap",
          "group.id", "it is the name of the job, by which the cluster knows how far it has come",
          "auto.offset.reset", "a topic is read from its beginning, and no record of it is skipped",
          "enable.auto.commit", "offsets are committed behind checkpoints, always",
          "commit.offsets.on.checkpoint", "offsets are committed behind checkpoints, always",
          "isolation.level", "only what is committed is read, always",
          "transactional.id", "it is made of the name of the job, and fences who wrote before",
          "transaction.timeout.ms", "it is the longest that the brokers allow, always",
          "acks", "all replicas acknowledge, always",
          "enable.idempotence", "it is on, always");

  private final Form root;
  private final Function<String, Path> resolved;
  private final Problems problems;

  private EngineSection(Form root, Function<String, Path> resolved, Problems problems) {
    this.root = root;
    this.resolved = resolved;
    this.problems = problems;
  }

  /**
   * Where an engine keeps the state; null where there is no such section, or it cannot be used,
   * which has been told.
   *
   * @param resolved finds a file that the pipeline names
   */
  static @Nullable Storage read(Form root, Function<String, Path> resolved, Problems problems) {
    return new EngineSection(root, resolved, problems).storage();
  }

  private @Nullable Storage storage() {
    Node node = root.get("engine");
    if (node == null) {
      return null;
    }
    Node.Scalar store = root.key("store");
    if (store != null) {
      problems.add(
          store,
          "an engine keeps the state itself, Kafka Streams in topics of the application, Flink in"
              + " checkpoints: leave store out, or engine");
    }
    if (node instanceof Node.Scalar scalar) {
      return switch (scalar.text()) {
        case STREAMS -> streams(null);
        case FLINK -> flink(scalar, null);
        default -> {
          problems.add(
              scalar,
              "engine is kafka-streams or flink, not "
                  + scalar.told()
                  + "; without engine the command itself applies the events, to a journal or a table");
          yield null;
        }
      };
    }
    Form form = new Form("engine", node, problems, STREAMS, FLINK);
    Node streams = form.get(STREAMS);
    Node flink = form.get(FLINK);
    if (flink == null) {
      return streams == null
          ? null
          : streams(
              new Form(
                  "engine: kafka-streams",
                  streams,
                  problems,
                  "application",
                  "threads",
                  "repartition",
                  "partitions",
                  "properties"));
    }
    if (streams != null) {
      problems.add(
          Objects.requireNonNull(form.key(FLINK)),
          "one engine applies the events: write kafka-streams or flink, not both");
    }
    return flink(
        flink,
        new Form(
            "engine: flink",
            flink,
            problems,
            "checkpoints",
            "name",
            "parallelism",
            "backend",
            "properties"));
  }

  // ---------------------------------------------------------------- Kafka Streams

  private Storage.@Nullable KafkaStreams streams(@Nullable Form form) {
    String application = application(form);
    boolean repartitions =
        form == null || form.choice("repartition", "true", "true", "false").equals("true");
    int partitions = number(form, STREAMS, "partitions", 0, MAX_PARTITIONS);
    if (form != null && !repartitions && form.has("partitions")) {
      problems.add(
          Objects.requireNonNull(form.key("partitions")),
          "engine: kafka-streams: partitions are those of the topic through which events come to"
              + " their keys, and with \"repartition: false\" there is none");
    }
    int threads = number(form, STREAMS, "threads", 1, MAX_THREADS);
    Settings properties =
        form == null ? Settings.NONE : SettingsSection.read(form, ELSEWHERE, resolved, problems);
    String bootstrap = bootstrap("Kafka Streams");
    return application == null || bootstrap == null
        ? null
        : new Storage.KafkaStreams(
            application, bootstrap, threads, repartitions, partitions, properties);
  }

  private @Nullable String application(@Nullable Form form) {
    Node.Scalar given = form == null ? null : form.scalar("application");
    Node.Scalar name = named(given);
    if (name == null) {
      return null; // told already, as the name that is missing
    }
    if (!name.text().matches("[A-Za-z0-9._-]{1,100}")) {
      problems.add(
          name,
          "names of topics are made of the application's id, so it has letters, digits, \".\", \"_\""
              + " and \"-\", and this is "
              + FieldType.quoted(name.text())
              + (given == null
                  ? ": write \"engine: { kafka-streams: { application: accounts } }\""
                  : ""));
      return null;
    }
    return name.text();
  }

  // ---------------------------------------------------------------- Flink

  private Storage.@Nullable Flink flink(Node node, @Nullable Form form) {
    String job = job(form == null ? null : form.scalar("name"));
    int parallelism = number(form, FLINK, "parallelism", 0, MAX_PARALLELISM);
    Storage.Checkpoints checkpoints = checkpoints(node, form);
    String backend =
        form == null ? "hashmap" : form.choice("backend", "hashmap", "hashmap", "rocksdb", "forst");
    Settings properties =
        form == null ? Settings.NONE : SettingsSection.read(form, NOT_ON_FLINK, resolved, problems);
    String bootstrap = bootstrap("Flink");
    return job == null || checkpoints == null || bootstrap == null
        ? null
        : new Storage.Flink(
            job,
            bootstrap,
            parallelism,
            checkpoints,
            Storage.Backend.valueOf(backend.toUpperCase(Locale.ROOT)),
            properties);
  }

  private @Nullable String job(Node.@Nullable Scalar given) {
    Node.Scalar name = named(given);
    if (name == null) {
      return null; // told already, as the name that is missing
    }
    if (!name.text().matches("[A-Za-z0-9._-]{1,150}")) {
      problems.add(
          name,
          "a group and transactions of Kafka are named by the job's name, so it has letters, digits,"
              + " \".\", \"_\" and \"-\", and this is "
              + FieldType.quoted(name.text())
              + (given == null ? ": write \"name: accounts\" under \"engine: { flink: … }\"" : ""));
      return null;
    }
    return name.text();
  }

  private Storage.@Nullable Checkpoints checkpoints(Node where, @Nullable Form form) {
    Node node = form == null ? null : form.get("checkpoints");
    if (node == null) {
      // What is no mapping is told already.
      if (form == null || where instanceof Node.Mapping) {
        problems.add(
            where,
            "state and position are in checkpoints and nowhere else: write "
                + (form == null ? "\"engine: { flink: { … } }\" with " : "")
                + DIRECTORY);
      }
      return null;
    }
    Form checkpoints =
        new Form("engine: flink: checkpoints", node, problems, "directory", "interval", "timeout");
    Node.Scalar given = checkpoints.required("directory", DIRECTORY);
    String directory = given == null ? null : directory(given);
    Duration interval =
        duration(checkpoints, "interval", Duration.ofSeconds(1), Duration.ofMillis(10));
    Duration timeout =
        duration(checkpoints, "timeout", Duration.ofMinutes(10), Duration.ofSeconds(1));
    return directory == null ? null : new Storage.Checkpoints(directory, interval, timeout);
  }

  /** A directory of any file system that Flink knows, as a URI. */
  private @Nullable String directory(Node.Scalar given) {
    String text = given.text();
    try {
      if (text.matches("[A-Za-z][A-Za-z0-9+.-]+:/.*")) {
        return new URI(text).toString().replaceFirst("(?<=[^/:])/+$", "");
      }
      Path path = resolved.apply(text);
      if (Files.exists(path) && !Files.isDirectory(path)) {
        problems.add(given, "checkpoints go to a directory, and " + path + " is a file");
      }
      return new URI("file", "", path.toString(), null).toString();
    } catch (URISyntaxException | InvalidPathException e) {
      problems.add(
          given,
          "checkpoints go to a directory, such as /var/lib/accounts or s3://bucket/accounts, and this"
              + " is "
              + given.told());
      return null;
    }
  }

  private Duration duration(Form form, String name, Duration otherwise, Duration least) {
    Node.Scalar scalar = form.scalar(name);
    if (scalar == null) {
      return otherwise;
    }
    try {
      Duration duration = Duration.parse(scalar.text().strip());
      if (duration.compareTo(least) >= 0 && duration.compareTo(Duration.ofDays(1)) <= 0) {
        return duration;
      }
    } catch (DateTimeException e) {
      // told with those that are too long or too short
    }
    problems.add(
        scalar,
        "engine: flink: checkpoints: "
            + name
            + " is a span of time from "
            + least
            + " to P1D, such as PT1S for a second or PT10M for 10 minutes, not "
            + scalar.told());
    return otherwise;
  }

  // ---------------------------------------------------------------- both

  /** What names the state in the cluster: what is given, or the pipeline's name. */
  private Node.@Nullable Scalar named(Node.@Nullable Scalar given) {
    return given == null && root.get("name") instanceof Node.Scalar name ? name : given;
  }

  private int number(@Nullable Form form, String engine, String name, int otherwise, int most) {
    Node.Scalar scalar = form == null ? null : form.scalar(name);
    if (scalar == null) {
      return otherwise;
    }
    if (!scalar.text().matches("[1-9]\\d{0,6}") || Integer.parseInt(scalar.text()) > most) {
      problems.add(
          scalar,
          "engine: "
              + engine
              + ": "
              + name
              + " is a whole number from 1 to "
              + most
              + ", not "
              + scalar.told());
      return otherwise;
    }
    return Integer.parseInt(scalar.text());
  }

  /** The source's cluster; what is wrong with the source is told by who reads all of it. */
  private @Nullable String bootstrap(String engine) {
    Node source = root.get("source");
    Node kafka =
        source instanceof Node.Mapping mapping && mapping.entries().containsKey("kafka")
            ? Objects.requireNonNull(mapping.entries().get("kafka")).value()
            : null;
    if (source == null) {
      return null;
    }
    if (kafka == null) {
      problems.add(
          source,
          engine
              + " reads topics: write \"source: { kafka: { bootstrap: localhost:9092, topic:"
              + " payments } }\"");
      return null;
    }
    Node.Entry bootstrap =
        kafka instanceof Node.Mapping mapping ? mapping.entries().get("bootstrap") : null;
    return bootstrap != null && bootstrap.value() instanceof Node.Scalar scalar
        ? KafkaForm.bootstrap(scalar)
        : null;
  }
}
