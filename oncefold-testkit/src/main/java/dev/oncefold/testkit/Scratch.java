package dev.oncefold.testkit;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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

  /** The names of the outputs that the input makes. */
  List<String> outputs() throws IOException {
    return Files.readAllLines(directory.resolve("outputs")).stream()
        .map(line -> Fields.split(line).get(0))
        .toList();
  }

  void outputs(Collection<String> names) throws IOException {
    Files.write(directory.resolve("outputs"), names.stream().map(Fields::join).toList());
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
          public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            Files.delete(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
