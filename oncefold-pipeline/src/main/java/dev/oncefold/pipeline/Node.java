package dev.oncefold.pipeline;

import java.util.List;
import java.util.Map;

/** A piece of a YAML file, with the place where it stands. */
sealed interface Node {
  /** The line, from 1. */
  int line();

  /** The column, from 1. */
  int column();

  /** What it is, in the words of a message. */
  String told();

  /**
   * Text.
   *
   * @param text as YAML understands it, without quotes
   * @param textLine where the text itself begins, behind a quote or below a {@code |}
   * @param textColumn the column of that
   * @param verbatim whether the file has the text as it is from there on, so that a place in the
   *     text is a place in the file
   */
  record Scalar(int line, int column, String text, int textLine, int textColumn, boolean verbatim)
      implements Node {
    @Override
    public String told() {
      return text.isEmpty() ? "nothing" : FieldType.quoted(text);
    }
  }

  /** Names and what they stand for, in the order of the file. */
  record Mapping(int line, int column, Map<String, Entry> entries) implements Node {
    @Override
    public String told() {
      return "a mapping";
    }
  }

  /** A list. */
  record Sequence(int line, int column, List<Node> elements) implements Node {
    @Override
    public String told() {
      return "a list";
    }
  }

  /** A name in a mapping and its value. */
  record Entry(Scalar key, Node value) {}
}
