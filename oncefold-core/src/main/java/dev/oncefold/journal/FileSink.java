package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.Disk;
import dev.oncefold.Kernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import java.util.zip.CRC32C;

/**
 * Appends what a journal commits to a file of lines, each exactly once.
 *
 * <p>It tails the journal with a position of its own: it writes, syncs, and then records in the
 * journal how long the file is and the CRC-32C of its content. Started again it cuts the file to
 * that length and goes on. A file that is shorter, or holds something else, stops it.
 *
 * <p>Safe for use by several threads.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class FileSink<S, E, O> implements AutoCloseable {
  private static final int BUFFER = 1 << 18;
  private static final long RECORD_EVERY = 1 << 22;

  private final Journal<S, E, O> journal;
  private final Disk disk;
  private final String file;
  private final String name;
  private final Lines<S, E, O> lines;
  private final Tail<S, E, O> tail;
  private final StringBuilder pending = new StringBuilder();
  private final CRC32C check = new CRC32C();
  private final Disk.Handle out;
  private long length;
  private long recorded;
  private boolean closed;

  /** Makes lines of one event of the log. */
  private interface Lines<S, E, O> {
    void append(
        EventRecord record,
        long sequence,
        Log.Cursor cursor,
        Definition.Codecs<S, E, O> codecs,
        StringBuilder to);
  }

  private FileSink(
      Journal<S, E, O> journal,
      String name,
      Disk disk,
      String file,
      Lines<S, E, O> lines,
      boolean threads)
      throws IOException {
    if (name.isBlank()) {
      throw new IllegalArgumentException("a sink needs a name");
    }
    this.journal = journal;
    this.disk = disk;
    this.file = file;
    this.name = name;
    this.lines = lines;
    this.tail = new Tail<>(journal);
    journal.sinkOpens(name, disk.path(file));
    try {
      Memory.SinkPosition position = journal.sink(name);
      this.out = position == null ? begin() : resume(position);
    } catch (IOException | RuntimeException | Error e) {
      journal.sinkCloses(name);
      throw e;
    }
    this.recorded = tail.offset;
    if (threads) {
      tail.start("oncefold-sink-" + file, last -> step());
    }
  }

  /**
   * Appends the outputs of one name to a file.
   *
   * @param journal the journal
   * @param output the name of the outputs
   * @param file the file; the sink's name in the journal is {@code file:} and the file's name
   * @param format makes a line of an output, without a line end
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the sink, which runs until it is closed; close it before the journal
   * @throws JournalException if the file is not what was written, or cannot be written
   */
  public static <S, E, O> FileSink<S, E, O> outputs(
      Journal<S, E, O> journal, String output, Path file, Function<Emitted<O>, String> format) {
    return outputs(journal, named(file), output, file, format);
  }

  /**
   * Appends the outputs of one name to a file, as a sink of a name of its own: files of one name in
   * different directories need it.
   *
   * @param journal the journal
   * @param sink the sink's name in the journal; keep it when the file moves
   * @param output the name of the outputs
   * @param file the file
   * @param format makes a line of an output, without a line end
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the sink, which runs until it is closed; close it before the journal
   * @throws JournalException if the file is not what was written, or cannot be written
   */
  public static <S, E, O> FileSink<S, E, O> outputs(
      Journal<S, E, O> journal,
      String sink,
      String output,
      Path file,
      Function<Emitted<O>, String> format) {
    return open(journal, sink, file, outputs(journal, output, format));
  }

  /**
   * Appends the refusals to a file: each event that was Rejected, Conflict, Expired or Failed.
   *
   * @param journal the journal
   * @param file the file; the sink's name in the journal is {@code file:} and the file's name
   * @param format makes a line of a refusal, without a line end
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the sink, which runs until it is closed; close it before the journal
   * @throws JournalException if the file is not what was written, or cannot be written
   */
  public static <S, E, O> FileSink<S, E, O> refusals(
      Journal<S, E, O> journal, Path file, Function<Entry<S, E, O>, String> format) {
    return refusals(journal, named(file), file, format);
  }

  /**
   * Appends the refusals to a file, as a sink of a name of its own.
   *
   * @param journal the journal
   * @param sink the sink's name in the journal; keep it when the file moves
   * @param file the file
   * @param format makes a line of a refusal, without a line end
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the sink, which runs until it is closed; close it before the journal
   * @throws JournalException if the file is not what was written, or cannot be written
   */
  public static <S, E, O> FileSink<S, E, O> refusals(
      Journal<S, E, O> journal, String sink, Path file, Function<Entry<S, E, O>, String> format) {
    return open(journal, sink, file, refusals(journal, format));
  }

  static <S, E, O> Lines<S, E, O> outputs(
      Journal<S, E, O> journal, String output, Function<Emitted<O>, String> format) {
    return (record, sequence, cursor, codecs, to) -> {
      for (int i = 0; i < record.outputCount(); i++) {
        if (record.outputName(i).equals(output)) {
          Codec<O> codec = codecs.output();
          line(format.apply(record.emitted(i, sequence, journal.fold().name(), codec)), to);
        }
      }
    };
  }

  static <S, E, O> Lines<S, E, O> refusals(
      Journal<S, E, O> journal, Function<Entry<S, E, O>, String> format) {
    return (record, sequence, cursor, codecs, to) -> {
      Entry<S, E, O> refusal = Tail.refusal(journal, record, sequence, cursor, codecs);
      if (refusal != null) {
        line(format.apply(refusal), to);
      }
    };
  }

  private static void line(String line, StringBuilder to) {
    if (line.indexOf('\n') >= 0) {
      throw new JournalException("a sink's format made a line with a line end in it: " + line);
    }
    to.append(line).append('\n');
  }

  private static String named(Path file) {
    return "file:" + file.getFileName();
  }

  private static <S, E, O> FileSink<S, E, O> open(
      Journal<S, E, O> journal, String sink, Path file, Lines<S, E, O> lines) {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || Files.isDirectory(file)) {
      throw new JournalException(
          file + " is a directory, no file to write outputs to. Name a file in it");
    }
    return open(journal, sink, Journal.disk(directory), file.getFileName().toString(), lines, true);
  }

  static <S, E, O> FileSink<S, E, O> open(
      Journal<S, E, O> journal, Disk disk, String file, Lines<S, E, O> lines, boolean threads) {
    return open(journal, "file:" + file, disk, file, lines, threads);
  }

  private static <S, E, O> FileSink<S, E, O> open(
      Journal<S, E, O> journal,
      String sink,
      Disk disk,
      String file,
      Lines<S, E, O> lines,
      boolean threads) {
    try {
      return new FileSink<>(journal, sink, disk, file, lines, threads);
    } catch (IOException e) {
      throw failed(disk, file, e);
    }
  }

  private static JournalException failed(Disk disk, String file, IOException e) {
    return new JournalException(
        "the output file "
            + disk.path(file)
            + " cannot be written: "
            + Kernel.told(e)
            + GroupCommit.advice(e)
            + ". Nothing is lost: its outputs stand in the journal, and the sink goes on where it"
            + " was",
        e);
  }

  private Disk.Handle begin() throws IOException {
    if (disk.list().contains(file)) {
      try (Disk.Handle there = disk.open(file, false)) {
        if (there.size() > 0) {
          throw new JournalException(
              disk.path(file)
                  + " exists, and the journal has never written to it by the sink \""
                  + name
                  + "\". Move it away, or name another file");
        }
      }
    }
    tail.offset = journal.log().start();
    if (tail.offset != 0) {
      throw new JournalException(
          "the journal has dropped older segments, so the outputs in them cannot be written to the"
              + " new file "
              + disk.path(file)
              + " any more. Name every sink from the beginning, or keep segments with"
              + " Options.retainBytes");
    }
    Disk.Handle created = disk.create(file);
    try {
      created.sync();
      disk.sync();
      // Durable before the first line, so that a file with lines is always a known one.
      journal.awaitRecorded(
          journal.record(name, new Memory.SinkPosition(tail.offset, length, check.getValue())));
      return created;
    } catch (IOException | RuntimeException e) {
      created.close();
      throw e;
    }
  }

  private Disk.Handle resume(Memory.SinkPosition position) throws IOException {
    Disk.Handle opened;
    try {
      opened = disk.open(file, true);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new JournalException(
          "the output file "
              + disk.path(file)
              + " is gone; "
              + position.length()
              + " bytes were written to it. Restore it, or forget the sink \""
              + name
              + "\" to write it anew",
          e);
    }
    try {
      if (opened.size() < position.length()) {
        throw changed(
            "has " + opened.size() + " bytes, fewer than the " + position.length() + " written");
      }
      ByteBuffer chunk = ByteBuffer.allocate(1 << 16);
      while (length < position.length()) {
        chunk.clear().limit((int) Math.min(chunk.capacity(), position.length() - length));
        int read = opened.read(length, chunk);
        if (read < 1) {
          throw changed("became shorter while it was read");
        }
        check.update(chunk.array(), 0, read);
        length += read;
      }
      if (check.getValue() != position.check()) {
        throw changed("does not hold what was written to it");
      }
      if (opened.size() > length) {
        opened.truncate(length);
        opened.sync();
      }
      tail.offset = position.offset();
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private JournalException changed(String how) {
    return new JournalException(
        "the output file "
            + disk.path(file)
            + " "
            + how
            + ". Restore it, or move it away and forget the sink \""
            + name
            + "\" to write it anew");
  }

  /** Writes what is new; false if there was nothing. Without a thread of its own, tests call it. */
  synchronized boolean step() {
    if (!tail.hasMore()) {
      return false;
    }
    pending.setLength(0);
    try {
      long end =
          tail.read(
              () -> pending.length() >= BUFFER,
              (record, sequence, at, codecs) ->
                  lines.append(record, sequence, at, codecs, pending));
      boolean wrote = flush();
      tail.offset = end;
      if (wrote || end - recorded > RECORD_EVERY) {
        recorded = end;
        var unused = journal.record(name, new Memory.SinkPosition(end, length, check.getValue()));
      }
      return true;
    } catch (IOException e) {
      throw failed(disk, file, e);
    }
  }

  private boolean flush() throws IOException {
    if (pending.isEmpty()) {
      return false;
    }
    byte[] bytes = pending.toString().getBytes(StandardCharsets.UTF_8);
    pending.setLength(0);
    out.write(length, ByteBuffer.wrap(bytes));
    out.sync();
    length += bytes.length;
    check.update(bytes, 0, bytes.length);
    return true;
  }

  /**
   * Whether it has stopped because the file cannot be written. Then nothing is written any more
   * while the journal goes on; {@link #close} throws the reason.
   *
   * @return whether it has failed
   */
  public boolean hasFailed() {
    return tail.hasFailed();
  }

  /**
   * Writes everything committed until now, and ends. Closing twice does nothing.
   *
   * @throws JournalException if the file could not be written; nothing is lost in the journal
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (!tail.finish()) {
        while (step()) {}
      }
    } finally {
      journal.sinkCloses(name);
      closeFile();
    }
    tail.rethrow("the sink of the file " + disk.path(file));
  }

  private void closeFile() {
    try {
      out.close();
    } catch (IOException e) {
      throw failed(disk, file, e);
    }
  }
}
