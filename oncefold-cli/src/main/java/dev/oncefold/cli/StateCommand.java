package dev.oncefold.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.oncefold.Counts;
import dev.oncefold.Row;
import dev.oncefold.Slot;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.View;
import dev.oncefold.kafkastreams.StreamsView;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.pipeline.Storage;
import dev.oncefold.postgres.PostgresView;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code oncefold state}. */
@Command(
    name = "state",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    description = {
      "Prints the committed state, in the order of the keys, one JSON object a line.",
      "{\"key\":…,\"version\":n,\"state\":{…}}",
      "It may be asked while the pipeline runs.",
      ""
    },
    footer = {"", "Exit code: 0; 1 if there is no such key or nothing to read, 2 for wrong usage."})
final class StateCommand implements Callable<Integer> {
  private static final int LOOK_EVERY = 1 << 10;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private final StoredFile given = new StoredFile();

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "KEY",
      description = "only the state of this key")
  private @Nullable String key;

  @Option(
      names = "--as-of",
      paramLabel = "SEQ",
      description = "the state behind the event of this sequence, from 0, not the newest")
  private @Nullable Long asOf;

  @Option(
      names = "--json",
      description =
          "end with one more object: {\"keys\":n,\"sequence\":n}, without a journal"
              + " {\"keys\":n,\"events\":n}, of PostgreSQL with \"unread\":[…], the partitions that"
              + " have more to read and keep ids from being forgotten")
  private boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = Objects.requireNonNull(spec, "picocli sets it").commandLine().getOut();
    if (asOf != null && asOf < 0) {
      throw new ParameterException(
          spec.commandLine(), "--as-of is " + asOf + "; sequences begin with 0, before all events");
    }
    Found found = found(given.load());
    List<String> keys = keys(found);
    ManyLines lines = new ManyLines(out);
    for (int i = 0; i < keys.size(); i++) {
      String each = keys.get(i);
      StringBuilder line = lines.line().append("{\"key\":");
      Json.write(each, line);
      StoredFile.append(found.slots().get(each), line);
      line.append('}');
      if (i % LOOK_EVERY == 0 && lines.areUnread()) {
        return 1;
      }
    }
    lines.end();
    if (json) {
      ObjectNode last = JsonNodeFactory.instance.objectNode().put("keys", keys.size());
      if (found.sequence() == null) {
        last.put("events", found.events());
        Set<String> unread = found.unread();
        if (unread != null) {
          unread.forEach(last.putArray("unread")::add);
        }
      } else {
        last.put("sequence", found.sequence());
      }
      out.println(last);
    }
    return 0;
  }

  /**
   * What is stored.
   *
   * @param slots the keys that were asked for
   * @param events how many events were judged
   * @param unread the partitions that keep ids from being forgotten; null where no store tells
   * @param sequence the sequence behind the last of them; null where events have none
   */
  private record Found(
      Map<String, Slot<Row>> slots,
      long events,
      @Nullable Set<String> unread,
      @Nullable Long sequence) {}

  private Found found(Pipeline.Stored stored) throws IOException, InterruptedException {
    if (stored.store() instanceof Storage.Postgres postgres && asOf == null) {
      PostgresView<Row> view =
          PostgresView.read(
              Table.options(postgres), stored.fold(), key == null ? null : List.of(key));
      return new Found(view.slots(), view.counts().events(), view.unread(), null);
    }
    if (stored.store() instanceof Storage.KafkaStreams streams && asOf == null) {
      StreamsView<Row> view = Streams.view(streams, stored.fold());
      return new Found(view.slots(), view.counts().events(), null, null);
    }
    if (stored.store() instanceof Storage.Flink flink && asOf == null) {
      if (flink.backend() == Storage.Backend.FORST) {
        throw new Stop(
            given.path()
                + ": Flink cannot read what its backend forst has stored, but by the job itself: with"
                + " the backend rocksdb, or hashmap, state can be printed");
      }
      FlinkSide side = Flink.side(given.path(), false, List.of());
      Counts counts = Flink.counts(side);
      Map<String, Slot<Row>> slots = Flink.states(side, stored.fold());
      if (slots.isEmpty() && counts.events() == 0) {
        throw new Stop(
            given.path()
                + ": there is no checkpoint of the job "
                + flink.job()
                + " in "
                + flink.checkpoints().directory()
                + " yet. Run it first: oncefold run "
                + PipelineFile.word(given.path().toString()));
      }
      return new Found(slots, counts.events(), null, null);
    }
    Path journal = given.journal(stored, "--as-of");
    View<Row> view =
        asOf == null
            ? Journal.view(journal, stored.fold())
            : Journal.asOf(journal, stored.fold(), asOf);
    return new Found(view.slots(), view.counts().events(), Set.of(), view.sequence());
  }

  private List<String> keys(Found found) {
    if (key == null) {
      List<String> keys = new ArrayList<>(found.slots().keySet());
      Collections.sort(keys);
      return keys;
    }
    Slot<Row> slot = found.slots().get(key);
    if (slot == null) {
      throw new Stop(
          "oncefold state: there is no key \""
              + key
              + "\""
              + (found.sequence() == null ? "" : " behind event " + found.sequence())
              + "; without KEY all keys are printed");
    }
    return List.of(key);
  }
}
