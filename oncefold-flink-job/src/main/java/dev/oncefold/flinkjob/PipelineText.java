package dev.oncefold.flinkjob;

import dev.oncefold.pipeline.Pipeline;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A pipeline that travels with a job as what its file holds: the machines that run the tasks have
 * no such file. It is loaded once in each of them, and its rules serve all tasks there.
 */
final class PipelineText implements Serializable {
  private static final long serialVersionUID = 1;

  // Goes with the class loader, which in a cluster is the job's own.
  private static final ConcurrentHashMap<String, Pipeline> LOADED = new ConcurrentHashMap<>();

  private final String file;
  private final String text;
  private transient volatile @Nullable Pipeline pipeline;

  private PipelineText(String file, String text) {
    this.file = file;
    this.text = text;
  }

  /**
   * Reads a pipeline file.
   *
   * @throws dev.oncefold.pipeline.PipelineException if it cannot be used
   */
  static PipelineText read(Path file) {
    return new PipelineText(file.toAbsolutePath().toString(), Pipeline.text(file));
  }

  Pipeline pipeline() {
    Pipeline loaded = pipeline;
    if (loaded == null) {
      loaded =
          LOADED.computeIfAbsent(file + '\0' + text, key -> Pipeline.load(Path.of(file), text));
      pipeline = loaded;
    }
    return loaded;
  }
}
