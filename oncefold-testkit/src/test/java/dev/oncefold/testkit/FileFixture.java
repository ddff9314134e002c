package dev.oncefold.testkit;

import dev.oncefold.Counts;
import dev.oncefold.Output;
import dev.oncefold.Position;
import dev.oncefold.Slot;
import dev.oncefold.Verdict;
import dev.oncefold.journal.Entry;
import dev.oncefold.journal.View;
import dev.oncefold.verify.TraceModel.Trace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What fixtures of the embedded engine have in common: the files around it, and when it is done.
 */
abstract class FileFixture implements EngineFixture {
  final Path directory;

  FileFixture(Path directory) {
    this.directory = directory;
  }

  /** What is committed, as somebody beside the engine sees it; null where there is no journal. */
  abstract @Nullable View<Trace> view();

  /**
   * Whether the engine still works; false where it has stopped for a Failed event and closed its
   * files. Throws where it died of something else.
   */
  abstract boolean works() throws Exception;

  abstract void run(Setup setup) throws Exception;

  @Override
  public void start(Setup setup) throws Exception {
    for (String partition : setup.partitions()) {
      Files.createFile(EmbeddedEngine.input(directory, partition));
    }
    run(setup);
  }

  @Override
  public void restart(Setup setup) throws Exception {
    run(setup);
  }

  @Override
  public void feed(String partition, List<String> records) throws IOException {
    Files.write(EmbeddedEngine.input(directory, partition), records, StandardOpenOption.APPEND);
  }

  @Override
  public void settle() throws Exception {
    Patience.await(patience(), () -> works() ? missing(false) : null);
  }

  /** What is not where it is read; the unread input is left out where the engine has stopped. */
  final @Nullable String missing(boolean stopped) throws IOException {
    View<Trace> view = view();
    if (view == null) {
      return "a journal";
    }
    String unread = stopped ? null : unread(view);
    return unread != null ? unread : untold(view.counts());
  }

  private @Nullable String unread(View<Trace> view) throws IOException {
    try (var inputs = Files.newDirectoryStream(directory, "*.in")) {
      for (Path input : inputs) {
        String partition = input.getFileName().toString().replace(".in", "");
        long applied = view.positions().getOrDefault(partition, Position.START).offset();
        if (applied != Files.size(input)) {
          return partition + " from byte " + applied + " to " + Files.size(input);
        }
      }
    }
    return null;
  }

  private @Nullable String untold(Counts counts) throws IOException {
    long refused = counts.rejected() + counts.conflicts() + counts.expired() + counts.failed();
    int told = lines(EmbeddedEngine.refusals(directory)).size();
    if (told != refused) {
      return refused + " refusals in their file, which has " + told;
    }
    int emitted =
        lines(EmbeddedEngine.output(directory, Output.DEFAULT)).size()
            + lines(EmbeddedEngine.output(directory, Bank.LARGE)).size();
    return emitted == counts.outputs()
        ? null
        : counts.outputs() + " outputs in their files, which have " + emitted;
  }

  /** The whole lines of a file; what is half written is not there yet. */
  private static List<String> lines(Path file) throws IOException {
    String text;
    try {
      text = Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      return List.of();
    }
    return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
  }

  @Override
  public @Nullable Slot<Trace> state(String key) {
    View<Trace> view = view();
    return view == null ? null : view.slots().get(key);
  }

  @Override
  public Counts counts() {
    View<Trace> view = view();
    return view == null ? Counts.NONE : view.counts();
  }

  @Override
  public List<Emitted> outputs(String name) throws IOException {
    return lines(EmbeddedEngine.output(directory, name)).stream()
        .map(Fields::split)
        .map(
            f ->
                new Emitted(
                    f.get(0),
                    f.get(1),
                    new Receipt(
                        f.get(2), Long.parseLong(f.get(3)), Long.parseLong(f.get(4)), f.get(5))))
        .toList();
  }

  @Override
  public List<Refusal> refusals() throws IOException {
    return lines(EmbeddedEngine.refusals(directory)).stream()
        .map(Fields::split)
        .map(f -> new Refusal(Verdict.Kind.valueOf(f.get(0)), f.get(1), f.get(2), f.get(3)))
        .toList();
  }

  static Judged judged(Entry<Trace, Move, Receipt> entry) {
    Slot<Trace> slot = entry.changes().isEmpty() ? null : entry.changes().get(0).slot();
    return new Judged(
        String.valueOf(entry.id()),
        entry.verdict(),
        entry.reason() == null ? "" : entry.reason(),
        slot == null ? null : slot.state());
  }
}
