package dev.oncefold.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A file system so small that a test can fill it: a disk that is really full, of the system's own.
 * It is mounted in memory where the system allows that, which is for root on Linux. Elsewhere the
 * system property {@value #PROPERTY} may name a directory on a small file system, such as one that
 * was mounted by hand.
 *
 * <p>For one thread.
 */
public final class SmallDisk implements AutoCloseable {
  /** Names a directory on a small file system to be used instead of mounting one. */
  public static final String PROPERTY = "oncefold.small.disk";

  /** Filling anything larger would take long, and may be somebody's real disk. */
  private static final long LARGEST = 1L << 28;

  private static final int BLOCK = 4096;
  private static final String BALLAST = "ballast";

  private final Path root;
  private final Path directory;
  private final boolean mounted;

  private SmallDisk(Path root, Path directory, boolean mounted) {
    this.root = root;
    this.directory = directory;
    this.mounted = mounted;
  }

  /**
   * Mounts a small file system, or uses the one that the system property names.
   *
   * @param at an empty directory that it is mounted on; not touched if the property is set
   * @param bytes its size, at most 256 MiB; the one that the property names has its own
   * @return the disk
   * @throws NotRunException where the system does not allow that; the message says why
   * @throws IOException if the directory cannot be used
   * @throws InterruptedException if interrupted
   */
  public static SmallDisk at(Path at, long bytes)
      throws NotRunException, IOException, InterruptedException {
    if (bytes < BLOCK || bytes > LARGEST) {
      throw new IllegalArgumentException(
          "bytes is " + bytes + "; give a size from " + BLOCK + " to " + LARGEST);
    }
    String given = System.getProperty(PROPERTY);
    if (given != null) {
      return existing(Path.of(given));
    }
    Files.createDirectories(at);
    try (Stream<Path> content = Files.list(at)) {
      if (content.findAny().isPresent()) {
        throw new IOException(at + " is not empty: a file system mounted on it would hide that");
      }
    }
    String said =
        run("mount", "-t", "tmpfs", "-o", "size=" + bytes, "tmpfs", at.toAbsolutePath().toString());
    if (!said.isEmpty()) {
      throw new NotRunException(
          "no small file system can be mounted: "
              + said
              + ". Run it as root on Linux, or name a directory on one with -D"
              + PROPERTY);
    }
    return new SmallDisk(at, Files.createDirectory(at.resolve("data")), true);
  }

  private static SmallDisk existing(Path root) throws NotRunException, IOException {
    if (!Files.isDirectory(root)) {
      throw new NotRunException("-D" + PROPERTY + " names " + root + ", which is no directory");
    }
    long total = Files.getFileStore(root).getTotalSpace();
    if (total > LARGEST) {
      throw new NotRunException(
          String.format(
              "-D%s names %s, on a file system of %,d bytes: one of more than %,d is not filled",
              PROPERTY, root, total, LARGEST));
    }
    return new SmallDisk(root, Files.createTempDirectory(root, "oncefold-"), false);
  }

  /** Runs a command of the system; answers nothing if it went well, and what it said if not. */
  private static String run(String... command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      int code = process.waitFor();
      return code == 0 ? "" : said.isEmpty() ? command[0] + " failed with " + code : said;
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  /**
   * Where to work.
   *
   * @return a directory that was empty
   */
  public Path directory() {
    return directory;
  }

  /**
   * Takes room away, until little more than so many bytes are left.
   *
   * @param left how many bytes stay free
   * @throws IOException if it cannot be done
   */
  public void fill(long left) throws IOException {
    ByteBuffer block = ByteBuffer.allocate(BLOCK);
    try (FileChannel file =
        FileChannel.open(
            ballast(),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.APPEND)) {
      while (free() >= left + BLOCK) {
        file.write(block.clear());
      }
      file.force(true);
    }
  }

  /**
   * Makes room: gives back all that {@link #fill} took.
   *
   * @throws IOException if it cannot be done
   */
  public void makeRoom() throws IOException {
    Files.deleteIfExists(ballast());
  }

  /**
   * How much room is left.
   *
   * @return in bytes
   * @throws IOException if it cannot be told
   */
  public long free() throws IOException {
    return Files.getFileStore(root).getUsableSpace();
  }

  private Path ballast() {
    return root.resolve(mounted ? BALLAST : directory.getFileName() + "-" + BALLAST);
  }

  /** Unmounts it, or deletes what stands in the directory; nobody may be using it any more. */
  @Override
  public void close() {
    try {
      if (mounted) {
        unmount();
      } else {
        makeRoom();
        delete();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void unmount() throws IOException {
    try {
      String said = run("umount", root.toAbsolutePath().toString());
      if (!said.isEmpty()) {
        throw new IOException(
            said + ". It stays mounted: end whoever uses it, then run umount " + root);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while unmounting " + root, e);
    }
  }

  private void delete() throws IOException {
    try (Stream<Path> content = Files.walk(directory)) {
      List<Path> deepestFirst = content.sorted(Comparator.reverseOrder()).toList();
      for (Path path : deepestFirst) {
        Files.delete(path);
      }
    }
  }
}
