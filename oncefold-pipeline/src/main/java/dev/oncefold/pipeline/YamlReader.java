package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads YAML into {@link Node}s. Every value is text here: what it means is decided by who asks for
 * it, so that {@code no} is never taken for false nor 0.10 for 0.1. Anchors and aliases are not
 * taken, and names in a mapping are there once.
 */
final class YamlReader {
  private static final int MAX_DEPTH = 32;
  private static final YAMLFactory FACTORY = YAMLFactory.builder().build();

  private final Problems problems;
  private final String[] lines;
  private final YAMLParser parser;
  private int depth;

  private YamlReader(String text, Problems problems) throws IOException {
    this.problems = problems;
    this.lines = text.split("\n", -1);
    this.parser = FACTORY.createParser(text);
  }

  /** Reads a file's text; what it holds must be a mapping. */
  static Node.Mapping read(String text, Problems problems) {
    try {
      YamlReader reader = new YamlReader(text, problems);
      return reader.document();
    } catch (JsonProcessingException e) {
      throw malformed(e, problems);
    } catch (IOException e) {
      throw problems.fatal(0, 0, "cannot be read: " + e);
    }
  }

  private Node.Mapping document() throws IOException {
    if (next() == null) {
      throw problems.fatal(0, 0, "is empty; a pipeline begins with its name: \"name: accounts\"");
    }
    Node node = node();
    if (!(node instanceof Node.Mapping mapping)) {
      throw problems.fatal(
          node.line(),
          node.column(),
          "a pipeline file is a mapping that begins with \"name: …\", and this is " + node.told());
    }
    if (next() != null) {
      JsonLocation at = parser.currentTokenLocation();
      throw problems.fatal(
          at.getLineNr(),
          at.getColumnNr(),
          "a second document begins here: one file, one pipeline");
    }
    return mapping;
  }

  private @Nullable JsonToken next() throws IOException {
    JsonToken token = parser.nextToken();
    JsonLocation at = parser.currentTokenLocation();
    if (token != null && (parser.getObjectId() != null || parser.isCurrentAlias())) {
      throw problems.fatal(
          at.getLineNr(),
          at.getColumnNr(),
          "anchors and aliases (& and *) are not taken: write the value out; a text that begins"
              + " with & or * needs quotes");
    }
    return token;
  }

  private Node node() throws IOException {
    JsonLocation at = parser.currentTokenLocation();
    if (++depth > MAX_DEPTH) {
      throw problems.fatal(
          at.getLineNr(), at.getColumnNr(), "is nested more than " + MAX_DEPTH + " deep");
    }
    Node node =
        switch (parser.currentToken()) {
          case START_OBJECT -> mapping(at);
          case START_ARRAY -> sequence(at);
          default -> scalar(at);
        };
    depth--;
    return node;
  }

  private Node mapping(JsonLocation at) throws IOException {
    Map<String, Node.Entry> entries = new LinkedHashMap<>();
    while (next() != JsonToken.END_OBJECT) {
      Node.Scalar key = scalar(parser.currentTokenLocation());
      JsonToken token = next();
      if (token == null) {
        break;
      }
      Node.Entry before = entries.get(key.text());
      Node value = node();
      if (before != null) {
        problems.add(
            key,
            "\""
                + key.text()
                + "\" stands here for the second time, first in line "
                + before.key().line()
                + ": keep one");
        continue;
      }
      entries.put(key.text(), new Node.Entry(key, value));
    }
    return new Node.Mapping(at.getLineNr(), at.getColumnNr(), entries);
  }

  private Node sequence(JsonLocation at) throws IOException {
    List<Node> elements = new ArrayList<>();
    while (next() != JsonToken.END_ARRAY) {
      elements.add(node());
    }
    return new Node.Sequence(at.getLineNr(), at.getColumnNr(), elements);
  }

  private Node.Scalar scalar(JsonLocation at) throws IOException {
    boolean isName = parser.currentToken() == JsonToken.FIELD_NAME;
    String text = isName ? parser.currentName() : parser.getText();
    int line = Math.max(at.getLineNr(), 1);
    int column = Math.max(at.getColumnNr(), 1);
    String there = line <= lines.length ? lines[line - 1] : "";
    there = column <= there.length() ? there.substring(column - 1) : "";
    if (parser.currentToken() == JsonToken.VALUE_NULL && !there.startsWith("null")) {
      text = there.startsWith("~") ? "null" : "";
    }
    int textLine = line;
    int textColumn = column;
    boolean block = there.startsWith("|") || there.startsWith(">");
    if (block) {
      textLine = line + 1;
      while (textLine < lines.length && lines[textLine - 1].isBlank()) {
        textLine++;
      }
      String first = textLine <= lines.length ? lines[textLine - 1] : "";
      textColumn = first.length() - first.stripLeading().length() + 1;
    } else if (there.startsWith("\"") || there.startsWith("'")) {
      textColumn++;
    }
    return new Node.Scalar(
        line, column, text, textLine, textColumn, isVerbatim(text, block, textLine, textColumn));
  }

  private boolean isVerbatim(String text, boolean block, int line, int column) {
    int at = line;
    for (String part : text.stripTrailing().split("\n", -1)) {
      String there = at <= lines.length ? lines[at - 1] : "";
      if (column - 1 > there.length()
          || !there.startsWith(part, Math.min(column - 1, there.length()))) {
        return false;
      }
      at++;
    }
    return block || at == line + 1;
  }

  private static PipelineException malformed(JsonProcessingException e, Problems problems) {
    JsonLocation at = e.getLocation();
    String message = e.getOriginalMessage();
    // Of the reader's own text only the sentence counts; the place is told in front.
    String first = message.lines().filter(line -> !line.isBlank()).findFirst().orElse("");
    String reason =
        message
            .lines()
            .filter(line -> !line.isBlank() && !line.startsWith(" "))
            .skip(1)
            .findFirst()
            .orElse(first);
    return problems.fatal(
        at == null ? 0 : at.getLineNr(),
        at == null ? 0 : at.getColumnNr(),
        "this is not YAML: " + explained(reason.strip()));
  }

  private static String explained(String reason) {
    if (reason.contains("mapping values are not allowed here")) {
      return "a \": \" stands where no name can begin. Is the indentation right, and is a text with"
          + " \": \" in it quoted?";
    } else if (reason.contains("found character '\\t(TAB)'") || reason.contains("'\\t'")) {
      return "a tab stands where spaces are wanted: indent with spaces";
    } else if (reason.contains("got ?")) {
      return "a \"?\" needs quotes inside { }: write \"string?\"";
    } else if (reason.contains("expected <block end>")) {
      return reason + ". Is the indentation of this line that of its neighbours?";
    } else if (reason.contains("special characters are not allowed")
        || reason.contains("unacceptable")) {
      return "it holds bytes that are no text";
    }
    return reason;
  }
}
