package dev.oncefold.pipeline;

import java.util.ArrayList;
import java.util.List;
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
      checkStreams(root, input, streams, outputs, event, problems);
    } else {
      checkOneKafka(outputs, problems);
    }
  }

  private static void checkStreams(
      Form root,
      @Nullable Input input,
      Storage.KafkaStreams streams,
      OutputsSection outputs,
      @Nullable EventSection event,
      Problems problems) {
    Node source = Objects.requireNonNull(root.get("source"));
    if (input != null && input.origin() instanceof Origin.Kafka kafka) {
      if (kafka.group() != null) {
        problems.add(
            source,
            "instances of a Kafka Streams application share the partitions by its id: leave group"
                + " out");
      }
      if (kafka.start() == Origin.Start.END) {
        problems.add(
            source,
            "Kafka Streams reads a topic from its beginning, so that nothing of it is skipped: leave"
                + " start out");
      }
      if (!kafka.name().equals(kafka.topic())) {
        problems.add(
            source,
            "Kafka Streams knows a topic by its own name and id: leave the source's name out");
      }
      if (!kafka.properties().equals(Settings.NONE)) {
        problems.add(source, oneApplication("the source's"));
      }
    } else if (input != null) {
      problems.add(
          source,
          "Kafka Streams reads topics, and "
              + input.told()
              + " is none: to apply it here, to a journal or a table, leave engine out");
    }
    if (event != null && !event.keys().isEmpty()) {
      problems.add(
          Objects.requireNonNull(root.get("engine")),
          "an event changes several keys, which may belong to different tasks of Kafka Streams:"
              + " leave engine out and write \"store: { journal: … }\" or \"store: { postgres: … }\"");
    }
    outputs
        .all()
        .forEach(
            (what, place) -> {
              if (place instanceof Destination.File) {
                problems.add(
                    outputs.place(what),
                    "files go with a journal only: what comes out of Kafka Streams goes to topics."
                        + " Write \""
                        + last(what)
                        + ": { kafka: … }\""
                        + (what.equals("refusals")
                            ? ", or leave it out: refusals are then counted only"
                            : ""));
              } else if (place instanceof Destination.Kafka kafka) {
                if (!kafka.bootstrap().equals(streams.bootstrap())) {
                  problems.add(
                      outputs.place(what),
                      "Kafka Streams reads and writes one cluster: write the bootstrap of the source");
                }
                if (!kafka.properties().equals(Settings.NONE)) {
                  problems.add(outputs.place(what), oneApplication(what + ":"));
                }
              }
            });
  }

  private static String oneApplication(String whose) {
    return "an application of Kafka Streams has its settings in one place: write "
        + whose
        + " properties under \"engine: { kafka-streams: { properties: … } }\", with \"consumer.\" or"
        + " \"producer.\" before those of one client";
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
