package dev.oncefold.verify;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * The classes of a program as they are once they are loaded. Processes that take them from there
 * start in less than half the time, where they use large libraries.
 */
public final class ClassArchive {
  private ClassArchive() {}

  /**
   * Runs a process to its end, and keeps the classes that it has loaded.
   *
   * @param main a class whose main method uses what other processes will use, and returns
   * @param directory an empty directory, which outlives them; in none that is on the class path
   * @param args its arguments
   * @return options for {@link Child#start}; none where this Java cannot do it
   * @throws IOException if the process cannot be started, or fails
   * @throws InterruptedException if interrupted
   */
  public static List<String> of(Class<?> main, Path directory, String... args)
      throws IOException, InterruptedException {
    Path archive = directory.resolve("classes.jsa").toAbsolutePath();
    List<String> classPath = List.of("-cp", jars(directory));
    List<String> options = new ArrayList<>(Child.shortLived());
    options.addAll(classPath);
    options.addAll(
        List.of("-XX:+IgnoreUnrecognizedVMOptions", "-XX:ArchiveClassesAtExit=" + archive));
    try (Child child = Child.start(main, options, directory.resolve("log"), args)) {
      while (!child.awaitEnd(Duration.ofDays(1))) {}
      if (child.exitCode() != 0) {
        throw new IOException(
            "the process whose classes are to be kept ended with exit code "
                + child.exitCode()
                + ": "
                + child.lastWords());
      }
    }
    if (!Files.exists(archive)) {
      return List.of();
    }
    List<String> answer = new ArrayList<>(classPath);
    // Where it does not fit after all, classes are loaded as ever.
    answer.addAll(List.of("-Xshare:auto", "-XX:SharedArchiveFile=" + archive));
    return answer;
  }

  /** This program's class path with a jar for each directory: only classes in jars are kept. */
  private static String jars(Path directory) throws IOException {
    List<String> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry);
      if (directory.toAbsolutePath().startsWith(path.toAbsolutePath())) {
        throw new IllegalArgumentException(
            directory + " is inside of " + path + ", which is on the class path: give another one");
      }
      if (Files.isDirectory(path)) {
        Path jar = directory.resolve("classes-" + jars.size() + ".jar").toAbsolutePath();
        pack(path, jar);
        jars.add(jar.toString());
      } else {
        jars.add(entry);
      }
    }
    return String.join(File.pathSeparator, jars);
  }

  private static void pack(Path directory, Path jar) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(directory).filter(Files::isRegularFile)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = directory.relativize(file).toString().replace(File.separatorChar, '/');
        out.putNextEntry(new JarEntry(name));
        Files.copy(file, out);
        out.closeEntry();
      }
    }
  }
}
