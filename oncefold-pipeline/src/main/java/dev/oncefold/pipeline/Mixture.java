package dev.oncefold.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Which sources, stores and outputs go together. */
final class Mixture {
  private Mixture() {}

  /** Tells what does not go together, as far as the sections could be read. */
  static void check(
      Form root,
      @Nullable Input input,
      @Nullable Storage store,
      OutputsSection outputs,
      @Nullable EventSection event,
      Problems problems) {
    if (store instanceof Storage.Journal
        && input != null
        && input.origin() instanceof Origin.Kafka kafka
        && kafka.group() != null) {
      problems.add(
          Objects.requireNonNull(root.get("source")),
          "a journal belongs to one process, which reads all partitions: leave group out. What a group"
              + " shares out goes to PostgreSQL");
    }
    if (store instanceof Storage.Postgres postgres) {
      outputs
          .all()
          .forEach(
              (what, place) -> {
                if (place instanceof Destination.File) {
                  problems.add(
                      outputs.place(what),
                      "files go with a journal only: what is kept in PostgreSQL has many workers, and"
                          + " none of them has the whole file. Write \""
                          + last(what)
                          + ": { kafka: … }\""
                          + (what.equals("refusals")
                              ? ", or leave it out: refusals then stay in the database"
                              : ""));
                }
              });
      if (event != null && !event.keys().isEmpty() && postgres.keys() != Storage.Keys.SHARED) {
        problems.add(
            Objects.requireNonNull(root.get("store")),
            "an event changes several keys, which other partitions change too: write \"keys: shared\""
                + " beside url");
      }
    }
    if (store instanceof Storage.KafkaStreams streams) {
      checkEngine(root, input, Engine.of(streams), outputs, event, problems);
    } else if (store instanceof Storage.Flink flink) {
      checkEngine(root, input, Engine.of(flink), outputs, event, problems);
    } else {
      checkOneKafka(outputs, problems);
    }
  }

  /**
   * What reads and writes topics of one cluster, and keeps the state itself.
   *
   * @param name what it is called
   * @param bootstrap its cluster
   * @param group why the source has no group
   * @param tasks where keys are
   * @param settings where the settings of its clients are
   */
  private record Engine(
      String name, String bootstrap, String group, String tasks, String settings) {
    static Engine of(Storage.KafkaStreams streams) {
      return new Engine(
          "Kafka Streams",
          streams.bootstrap(),
          "instances of a Kafka Streams application share the partitions by its id",
          "tasks of Kafka Streams",
          "an application of Kafka Streams has its settings in one place: write %s properties under"
              + " \"engine: { kafka-streams: { properties: … } }\", with \"consumer.\" or"
              + " \"producer.\" before those of one client");
    }

    static Engine of(Storage.Flink flink) {
      return new Engine(
          "Flink",
          flink.bootstrap(),
          "the group of a job of Flink is called as the job is",
          "subtasks of Flink",
          "a job of Flink has the settings of Kafka's clients in one place: write %s properties under"
              + " \"engine: { flink: { properties: … } }\"");
    }
  }

  private static void checkEngine(
      Form root,
      @Nullable Input input,
      Engine engine,
      OutputsSection outputs,
      @Nullable EventSection event,
      Problems problems) {
    Node source = Objects.requireNonNull(root.get("source"));
    if (input != null && input.origin() instanceof Origin.Kafka kafka) {
      if (kafka.group() != null) {
        problems.add(source, engine.group + ": leave group out");
      }
      if (kafka.start() == Origin.Start.END) {
        problems.add(
            source,
            engine.name
                + " reads a topic from its beginning, so that nothing of it is skipped: leave start"
                + " out");
      }
      if (!kafka.name().equals(kafka.topic())) {
        problems.add(
            source,
            engine.name + " knows a topic by its own name and id: leave the source's name out");
      }
      if (!kafka.properties().equals(Settings.NONE)) {
        problems.add(source, settings(engine, "the source's"));
      }
    } else if (input != null) {
      problems.add(
          source,
          engine.name
              + " reads topics, and "
              + input.told()
              + " is none: to apply it here, to a journal or a table, leave engine out");
    }
    if (event != null && !event.keys().isEmpty()) {
      problems.add(
          Objects.requireNonNull(root.get("engine")),
          "an event changes several keys, which may belong to different "
              + engine.tasks
              + ": leave engine out and write \"store: { journal: … }\" or \"store: { postgres: …"
              + " }\"");
    }
    outputs
        .all()
        .forEach(
            (what, place) -> {
              if (place instanceof Destination.File) {
                problems.add(
                    outputs.place(what),
                    "files go with a journal only: what comes out of "
                        + engine.name
                        + " goes to topics. Write \""
                        + last(what)
                        + ": { kafka: … }\""
                        + (what.equals("refusals")
                            ? ", or leave it out: refusals are then counted only"
                            : ""));
              } else if (place instanceof Destination.Kafka kafka) {
                if (!kafka.bootstrap().equals(engine.bootstrap)) {
                  problems.add(
                      outputs.place(what),
                      engine.name
                          + " reads and writes one cluster: write the bootstrap of the source");
                }
                if (!kafka.properties().equals(Settings.NONE)) {
                  problems.add(outputs.place(what), settings(engine, what + ":"));
                }
              }
            });
  }

  private static String settings(Engine engine, String whose) {
    return String.format(Locale.ROOT, engine.settings, whose);
  }

  private static String last(String what) {
    return what.substring(what.lastIndexOf(' ') + 1);
  }

  /** What goes to Kafka goes there in one transaction, so it is one Kafka. */
  private static void checkOneKafka(OutputsSection outputs, Problems problems) {
    List<Destination.Kafka> seen = new ArrayList<>();
    for (Map.Entry<String, Destination> each : outputs.all().entrySet()) {
      if (!(each.getValue() instanceof Destination.Kafka kafka)) {
        continue;
      }
      Destination.Kafka first = seen.isEmpty() ? kafka : seen.get(0);
      seen.add(kafka);
      if (!first.bootstrap().equals(kafka.bootstrap())
          || !first.properties().equals(kafka.properties())) {
        problems.add(
            outputs.place(each.getKey()),
            "everything that goes to Kafka goes there in one transaction: write the same bootstrap and"
                + " properties for each output and the refusals");
      }
    }
  }

  /** What a reader of the file may not expect of a mixture, though nothing is wrong with it. */
  static void notes(Input input, Storage store, List<String> notes) {
    if (store instanceof Storage.Postgres
        && input.origin() instanceof Origin.Kafka kafka
        && kafka.group() == null) {
      notes.add(
          "there is no group, so one worker reads all partitions: with \"group: …\" several workers"
              + " share them");
    }
    if (store instanceof Storage.KafkaStreams streams && !streams.repartitions()) {
      notes.add(
          "all events of a key must stand in one partition of the topic, now and always: otherwise a"
              + " key gets several states, and nobody notices. Without \"repartition: false\" it need"
              + " not be so");
    }
    if (store instanceof Storage.Postgres postgres) {
      String password = postgres.properties().values().get("password");
      if (password != null && !password.contains("${")) {
        notes.add(
            "the password stands in the file: ${env:PGPASSWORD} takes it from the environment, and"
                + " ${file:/path} from a file");
      }
    }
  }
}
