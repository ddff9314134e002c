package dev.oncefold.pipeline;

import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The section {@code engine}: what runs the fold, where the command does not do so itself. */
final class EngineSection {
  static final String STREAMS = "kafka-streams";
  private static final int MAX_THREADS = 1_000;
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
  static Storage.@Nullable KafkaStreams read(
      Form root, Function<String, Path> resolved, Problems problems) {
    return new EngineSection(root, resolved, problems).storage();
  }

  private Storage.@Nullable KafkaStreams storage() {
    Node node = root.get("engine");
    if (node == null) {
      return null;
    }
    Node.Scalar store = root.key("store");
    if (store != null) {
      problems.add(
          store,
          "an engine keeps the state itself, Kafka Streams in topics of the application: leave store"
              + " out, or engine");
    }
    if (node instanceof Node.Scalar scalar) {
      if (!scalar.text().equals(STREAMS)) {
        problems.add(
            scalar,
            "engine is kafka-streams, not "
                + scalar.told()
                + "; without engine the command itself applies the events, to a journal or a table");
        return null;
      }
      return streams(null);
    }
    Node streams = new Form("engine", node, problems, STREAMS).get(STREAMS);
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

  private Storage.@Nullable KafkaStreams streams(@Nullable Form form) {
    String application = application(form);
    boolean repartitions =
        form == null || form.choice("repartition", "true", "true", "false").equals("true");
    int partitions = number(form, "partitions", 0, MAX_PARTITIONS);
    if (form != null && !repartitions && form.has("partitions")) {
      problems.add(
          Objects.requireNonNull(form.key("partitions")),
          "engine: kafka-streams: partitions are those of the topic through which events come to"
              + " their keys, and with \"repartition: false\" there is none");
    }
    int threads = number(form, "threads", 1, MAX_THREADS);
    Settings properties =
        form == null ? Settings.NONE : SettingsSection.read(form, ELSEWHERE, resolved, problems);
    String bootstrap = bootstrap();
    return application == null || bootstrap == null
        ? null
        : new Storage.KafkaStreams(
            application, bootstrap, threads, repartitions, partitions, properties);
  }

  private @Nullable String application(@Nullable Form form) {
    Node.Scalar given = form == null ? null : form.scalar("application");
    Node.Scalar name = given == null && root.get("name") instanceof Node.Scalar s ? s : given;
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

  private int number(@Nullable Form form, String name, int otherwise, int most) {
    Node.Scalar scalar = form == null ? null : form.scalar(name);
    if (scalar == null) {
      return otherwise;
    }
    if (!scalar.text().matches("[1-9]\\d{0,6}") || Integer.parseInt(scalar.text()) > most) {
      problems.add(
          scalar,
          "engine: kafka-streams: "
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
  private @Nullable String bootstrap() {
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
          "Kafka Streams reads topics: write \"source: { kafka: { bootstrap: localhost:9092, topic:"
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
