package dev.oncefold.testkit;

import dev.oncefold.verify.HistoryException;
import dev.oncefold.verify.Observation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads on in a file that a sink writes, line by line, as a user would who follows it. */
final class SinkReader {
  private final String reader;
  private final Path file;
  private final @Nullable String output;
  private final Consumer<Observation> history;
  private long offset;

  /**
   * A reader.
   *
   * @param reader its name in the history
   * @param file the file
   * @param output the name of the output; null where it is of the refusals
   * @param history told of every whole line
   */
  SinkReader(String reader, Path file, @Nullable String output, Consumer<Observation> history) {
    this.reader = reader;
    this.file = file;
    this.output = output;
    this.history = history;
  }

  /** Reads what has come since. */
  void readOn() throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    byte[] more;
    try (FileChannel channel = FileChannel.open(file)) {
      // A file that was cut off behind what was committed is written again up to here and further.
      ByteBuffer rest = ByteBuffer.allocate((int) Math.max(0, channel.size() - offset));
      while (rest.hasRemaining() && channel.read(rest, offset + rest.position()) >= 0) {}
      more = java.util.Arrays.copyOf(rest.array(), rest.position());
    }
    int from = 0;
    for (int i = 0; i < more.length; i++) {
      if (more[i] == '\n') {
        line(new String(more, from, i - from, StandardCharsets.UTF_8));
        from = i + 1;
      }
    }
    offset += from;
  }

  private void line(String line) {
    List<String> fields = Fields.split(line);
    if (fields.size() != 3) {
      throw new HistoryException(file + " holds a line that no sink wrote: " + line, null);
    }
    String key = fields.get(0);
    String id = fields.get(1);
    String last = fields.get(2);
    history.accept(
        output == null
            ? new Observation.Refusal(reader, key, id, last.charAt(0))
            : new Observation.Output(reader, output, key, id, last));
  }
}
