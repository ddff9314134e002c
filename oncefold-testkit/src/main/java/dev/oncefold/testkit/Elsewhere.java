package dev.oncefold.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Another machine, as far as one can be had on this one: a process whose defaults are not ours.
 *
 * @param zone the default time zone
 * @param language the language of the default locale
 * @param country the country of the default locale
 * @param encoding the default encoding
 * @param hashes how the JVM makes up the hash codes of objects that have none of their own
 */
record Elsewhere(String zone, String language, String country, String encoding, int hashes) {
  /** 26 hours apart: at any moment the two have different dates. */
  static List<Elsewhere> all() {
    return List.of(
        // Turkish has an i of its own, which has cost many a program its keywords.
        new Elsewhere("Pacific/Kiritimati", "tr", "TR", "ISO-8859-1", 0),
        // Arabic has digits of its own.
        new Elsewhere("Etc/GMT+12", "ar", "EG", "UTF-8", 3));
  }

  /** What is done there, and where that is. */
  String told() {
    return "judged in another process (time zone "
        + zone
        + ", locale "
        + language
        + "_"
        + country
        + ", encoding "
        + encoding
        + ")";
  }

  /** Writes down there what a subject's events come to. */
  void record(Class<?> subject, String[] arguments, Path file)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-XX:+UnlockExperimentalVMOptions",
                "-XX:hashCode=" + hashes,
                "-XX:+UseSerialGC",
                "-Duser.timezone=" + zone,
                "-Duser.language=" + language,
                "-Duser.country=" + country,
                "-Dfile.encoding=" + encoding,
                "-cp",
                System.getProperty("java.class.path"),
                Judging.class.getName(),
                subject.getName(),
                file.toString()));
    command.addAll(List.of(arguments));
    Path log = file.resolveSibling("log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      process.getOutputStream().close();
      int exit = process.waitFor();
      if (exit != 0) {
        throw new IllegalStateException(
            "the events could not be "
                + told()
                + ": exit code "
                + exit
                + "\n"
                + new String(Files.readAllBytes(log), StandardCharsets.UTF_8).strip());
      }
    } finally {
      process.destroyForcibly();
    }
  }
}
