package dev.oncefold.cli;

import dev.oncefold.Row;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.SinkFeed;
import dev.oncefold.kafka.KafkaSink;
import dev.oncefold.pipeline.Destination;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What a pipeline writes from its journal, open: its files, and its topics. */
final class Sinks implements AutoCloseable {
  /** The name in the journal of what goes to topics, all of it together. */
  private static final String TOPICS = "kafka";

  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<BooleanSupplier> failed = new ArrayList<>();
  private @Nullable SinkFeed<Row, Row, String> topics;

  private Sinks() {}

  static Sinks open(
      Pipeline pipeline, Journal<Row, Row, String> journal, Collection<String> rewritten) {
    if (!rewritten.isEmpty() && !journal.goesBackToItsBeginning()) {
      // Before anything is forgotten: a file that cannot be written anew must go on as it is.
      throw new Stop(
          "oncefold run: the journal "
              + PipelineFile.shown(pipeline.journal().directory())
              + " has dropped its older events (history: none), so no file can be written anew from"
              + " its beginning. Restore the file from a copy");
    }
    for (String name : rewritten) {
      if (journal.sinks().contains(sink(name))) {
        journal.forgetSink(sink(name));
      }
    }
    Sinks sinks = new Sinks();
    boolean opened = false;
    try {
      sinks.openFiles(pipeline, journal);
      sinks.openTopics(pipeline, journal);
      opened = true;
      return sinks;
    } finally {
      if (!opened) {
        sinks.close();
      }
    }
  }

  private void openFiles(Pipeline pipeline, Journal<Row, Row, String> journal) {
    for (Map.Entry<String, Path> file : Places.files(pipeline).entrySet()) {
      String name = file.getKey();
      FileSink<Row, Row, String> sink =
          name.equals(Places.REFUSALS)
              ? FileSink.refusals(journal, sink(name), file.getValue(), e -> Json.line(e, pipeline))
              : FileSink.outputs(journal, sink(name), name, file.getValue(), Json::line);
      open.add(sink);
      failed.add(sink::hasFailed);
    }
  }

  private void openTopics(Pipeline pipeline, Journal<Row, Row, String> journal) {
    KafkaSink kafka = Topics.sink(pipeline);
    if (kafka == null) {
      return;
    }
    Map<String, Function<Emitted<String>, byte[]>> outputs = new LinkedHashMap<>();
    pipeline
        .outputs()
        .forEach(
            (name, place) -> {
              if (place instanceof Destination.Kafka) {
                outputs.put(name, emitted -> utf8(Json.line(emitted)));
              }
            });
    boolean started = false;
    try {
      SinkFeed<Row, Row, String> feed =
          SinkFeed.start(
              journal,
              TOPICS,
              kafka,
              outputs,
              pipeline.refusals() instanceof Destination.Kafka
                  ? entry -> utf8(Json.line(entry, pipeline))
                  : null);
      open.add(feed);
      failed.add(feed::hasFailed);
      topics = feed;
      started = true;
    } finally {
      if (!started) {
        kafka.close();
      }
    }
    open.add(kafka); // behind the feed, which closes its lane
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The name of a file's sink in the journal. */
  static String sink(String output) {
    return output.equals(Places.REFUSALS) ? output : "output:" + output;
  }

  /** Whether one of them writes no more, and why is told by closing. */
  boolean haveFailed() {
    return failed.stream().anyMatch(BooleanSupplier::getAsBoolean);
  }

  /** Why what goes to topics does not get there for now; null if it does. */
  @Nullable String trouble() {
    RuntimeException trouble = topics == null ? null : topics.trouble();
    return trouble == null ? null : trouble.getMessage();
  }

  /** Writes what is left to each, also where another fails. */
  @Override
  public void close() {
    @Nullable RuntimeException failure = null;
    for (AutoCloseable each : open) {
      try {
        each.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      } catch (Exception e) {
        throw new IllegalStateException("a sink throws what it does not declare", e);
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
