package dev.oncefold.cli;

import dev.oncefold.pipeline.Pipeline;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The pipeline file that a command is given, and what it reads instead of the source in it. */
final class PipelineFile {
  @Parameters(index = "0", paramLabel = "PIPELINE", description = "the pipeline file, in YAML")
  private @Nullable Path file;

  @Option(
      names = "--source",
      paramLabel = "FILE",
      description =
          "this file, or standard input for -, is the source, not the one in the pipeline")
  private @Nullable String source;

  Pipeline load(InputStream standard) {
    return Pipeline.load(path(), source, standard);
  }

  Path path() {
    return Objects.requireNonNull(file, "picocli sets it");
  }

  /** A command line with the same file and source, for a person to copy. */
  String command(String name) {
    String other = source == null ? "" : " --source " + word(source);
    return "oncefold " + name + " " + word(path().toString()) + other;
  }

  /** A word as a shell takes it. */
  static String word(String text) {
    return text.matches("[\\w@%+=:,./-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  /** A path as a person would write it here. */
  static String shown(Path path) {
    Path here = Path.of("").toAbsolutePath();
    return path.startsWith(here) && !path.equals(here)
        ? here.relativize(path).toString()
        : path.toString();
  }
}
