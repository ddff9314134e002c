package dev.oncefold.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The checkpoints in a directory, of all jobs that went on from each other's. */
final class Kept {
  private Kept() {}

  /** The last one that is complete; null where there is none. */
  static @Nullable String last(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return null;
    }
    try (Stream<Path> jobs = Files.list(directory)) {
      Path last = null;
      for (Path job : jobs.toList()) {
        try (Stream<Path> checkpoints = Files.list(job)) {
          for (Path each : checkpoints.toList()) {
            if (number(each) > (last == null ? -1 : number(last))
                && Files.exists(each.resolve("_metadata"))) {
              last = each;
            }
          }
        }
      }
      return last == null ? null : last.toUri().toString();
    }
  }

  private static long number(Path checkpoint) {
    String name = checkpoint.getFileName().toString();
    return name.startsWith("chk-") ? Long.parseLong(name.substring("chk-".length())) : -1;
  }
}
