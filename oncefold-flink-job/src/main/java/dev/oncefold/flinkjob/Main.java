package dev.oncefold.flinkjob;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The program for {@code flink run}.
 *
 * <pre>
 * flink run [-s CHECKPOINT] oncefold-flink-job.jar PIPELINE [--accept-change] [--refuse POSITION]…
 * </pre>
 *
 * <p>The pipeline file is read here, and what it holds travels with the job. Where the job has run
 * before, it is started from its last checkpoint; without, it is refused.
 */
public final class Main {
  private static final String USAGE =
      "flink run [-s CHECKPOINT] oncefold-flink-job.jar PIPELINE [--accept-change] [--refuse"
          + " POSITION]…";

  private Main() {}

  /**
   * Builds the job of a pipeline where {@code flink} says, and submits it.
   *
   * @param args the pipeline file and options
   * @throws IllegalArgumentException if they are none, or the pipeline has another engine
   * @throws Exception if the job cannot be built or submitted; the message says why
   */
  public static void main(String[] args) throws Exception {
    Path file = null;
    boolean acceptChange = false;
    List<String> refusing = new ArrayList<>();
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--accept-change")) {
        acceptChange = true;
      } else if (args[i].equals("--refuse") && i + 1 < args.length) {
        refusing.add(args[++i]);
      } else if (file == null && !args[i].startsWith("-")) {
        file = Path.of(args[i]);
      } else {
        throw new IllegalArgumentException(args[i] + " is not known here: " + USAGE);
      }
    }
    if (file == null) {
      throw new IllegalArgumentException("which pipeline file? " + USAGE);
    }
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    PipelineJob job = PipelineJob.of(PipelineText.read(file), acceptChange, refusing);
    job.in(environment, Map.of());
    environment.execute(job.engine().job());
  }
}
