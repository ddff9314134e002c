package dev.oncefold.testkit;

import dev.oncefold.verify.Child;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
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
    List<String> options =
        List.of(
            "-XX:+IgnoreUnrecognizedVMOptions",
            "-XX:+UnlockExperimentalVMOptions",
            "-XX:hashCode=" + hashes,
            "-XX:+UseSerialGC",
            "-Duser.timezone=" + zone,
            "-Duser.language=" + language,
            "-Duser.country=" + country,
            "-Dfile.encoding=" + encoding);
    List<String> all = new ArrayList<>(List.of(subject.getName(), file.toString()));
    all.addAll(List.of(arguments));
    Path log = file.resolveSibling("log");
    try (Child child = Child.start(Judging.class, options, log, all.toArray(String[]::new))) {
      // How long it takes depends on the events and the fold; they ended here.
      while (!child.awaitEnd(Duration.ofDays(1))) {}
      if (child.exitCode() != 0) {
        throw new IllegalStateException(
            "the events could not be "
                + told()
                + ": exit code "
                + child.exitCode()
                + "\n"
                + child.lastWords());
      }
    }
  }
}
