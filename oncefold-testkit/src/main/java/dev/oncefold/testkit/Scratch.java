package dev.oncefold.testkit;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.stream.Stream;

/**
 * Where a crash run keeps everything: nothing outside of it is written.
 *
 * @param directory the directory
 */
record Scratch(Path directory) {
  Path journal() {
    return directory.resolve("journal");
  }

  /** The journal as a kill left it, to be opened in place of the one that goes on. */
  Path copy() {
    return directory.resolve("journal-copy");
  }

  Path output(int number) {
    return directory.resolve("output-" + number);
  }

  Path refusals() {
    return directory.resolve("refusals");
  }

  Path beacon() {
    return directory.resolve("beacon");
  }

  Path log() {
    return directory.resolve("worker.log");
  }

  /** What was seen, before the rules are told. */
  Path seen() {
    return directory.resolve("seen.ndjson");
  }

  Path history() {
    return directory.resolve("history.ndjson");
  }

  /** Copies what a dead process left of its journal. */
  void copyJournal() throws IOException {
    delete(copy());
    Files.createDirectories(copy());
    if (Files.exists(journal())) {
      try (Stream<Path> files = Files.list(journal())) {
        for (Path file : files.toList()) {
          Files.copy(file, copy().resolve(file.getFileName()));
        }
      }
    }
  }

  /** Deletes a file, or a directory with all that is in it. */
  static void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path directory, @org.jspecify.annotations.Nullable IOException e) throws IOException {
            if (e != null) {
              throw e;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
