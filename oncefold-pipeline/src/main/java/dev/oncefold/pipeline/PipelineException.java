package dev.oncefold.pipeline;

import java.util.List;

/** A pipeline file that cannot be used. It names every problem that was found, not only one. */
public final class PipelineException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private final transient List<Problem> problems;

  PipelineException(String file, List<Problem> problems) {
    super(String.join("\n", problems.stream().map(problem -> problem.told(file)).toList()));
    this.problems = List.copyOf(problems);
  }

  /**
   * What is wrong.
   *
   * @return the problems, in the order of the file
   */
  public List<Problem> problems() {
    return problems;
  }
}
