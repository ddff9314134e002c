package dev.oncefold.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * A directory of a command's own: the one that the user names, which is kept, or a temporary one,
 * which is deleted, also when somebody ends this program.
 */
final class WorkDirectory {
  private final Path path;
  private final boolean temporary;
  private final Thread hook;

  private WorkDirectory(Path path, boolean temporary, Runnable interrupted) {
    this.path = path;
    this.temporary = temporary;
    this.hook =
        new Thread(
            () -> {
              interrupted.run();
              if (temporary) {
                delete();
              }
            });
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Makes it.
   *
   * @param given the value of {@code --dir}, or null
   * @param command whose usage is wrong where the directory is not new or empty
   * @param interrupted done first when somebody ends this program
   */
  static WorkDirectory make(@Nullable Path given, CommandLine command, Runnable interrupted)
      throws IOException {
    return given == null
        ? new WorkDirectory(Files.createTempDirectory("oncefold-"), true, interrupted)
        : new WorkDirectory(made(given, command), false, interrupted);
  }

  private static Path made(Path directory, CommandLine command) {
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw usage(command, "--dir %s is a file; name a directory that is new or empty", directory);
    }
    try {
      Files.createDirectories(directory);
      try (Stream<Path> content = Files.list(directory)) {
        if (content.findAny().isPresent()) {
          throw usage(
              command, "--dir %s is not empty; name a directory that is new or empty", directory);
        }
      }
    } catch (IOException e) {
      throw usage(command, "--dir %s cannot be used: %s; name another directory", directory, e);
    }
    return directory;
  }

  private static ParameterException usage(CommandLine command, String message, Object... values) {
    return new ParameterException(command, String.format(Locale.ROOT, message, values));
  }

  Path path() {
    return path;
  }

  /**
   * The command is over.
   *
   * @param found whether a temporary one is kept, too
   * @return whether it is still there
   */
  boolean over(boolean found) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // Somebody is ending this program, and the hook does the rest: nothing to tell.
      while (true) {
        LockSupport.park();
      }
    }
    if (!temporary || found) {
      return true;
    }
    delete();
    return false;
  }

  private void delete() {
    try (Stream<Path> content = Files.walk(path)) {
      for (Path each : content.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    } catch (IOException e) {
      // It is temporary: the system removes what is left.
    }
  }
}
