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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads YAML into {@link Node}s. Every value is text here: what it means is decided by who asks for
 * it, so that {@code no} is never taken for false nor 0.10 for 0.1. Anchors and aliases are not
 * taken, and names in a mapping are there once.
 */
final class YamlReader {
  private static final int MAX_DEPTH = 32;
  private static final Pattern PLACE = Pattern.compile("line (\\d+), column (\\d+)");
  private static final Pattern TOKEN = Pattern.compile("found character '(.)' that cannot start");
  // Of these, the place where it begins says more than that where the parser gave up.
  private static final List<String> OPENED =
      List.of(
          "could not find expected ':'",
          "expected ',' or",
          "found unexpected end of stream",
          "found *");
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
      throw malformed(e, text, problems);
    } catch (IOException e) {
      throw problems.fatal(0, 0, "cannot be read: " + e);
    }
  }

  private Node.Mapping document() throws IOException {
    Node node = next() == null ? null : node();
    if (node == null || (node instanceof Node.Scalar scalar && scalar.text().isEmpty())) {
      throw problems.fatal(0, 0, "is empty; a pipeline begins with its name: \"name: accounts\"");
    }
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
    } else if (token != null && rest(at.getLineNr(), at.getColumnNr()).startsWith("!")) {
      // YAML would take it for a tag and drop it: an expression would mean its opposite.
      throw problems.fatal(
          at.getLineNr(),
          at.getColumnNr(),
          "a text that begins with ! needs quotes around it, such as '!has(event.note)'");
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
      if (key.text().equals("<<")) {
        throw problems.fatal(
            key.line(), key.column(), "<< is not taken: write out what it would bring in");
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
    String there = rest(line, column);
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

  /** What the file has in a line from a column on, counted in code points. */
  private String rest(int line, int column) {
    String there = line >= 1 && line <= lines.length ? lines[line - 1] : "";
    int points = there.codePointCount(0, there.length());
    return column < 1 || column > points
        ? ""
        : there.substring(there.offsetByCodePoints(0, column - 1));
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

  // ---------------------------------------------------------------- what is not YAML

  private static PipelineException malformed(
      JsonProcessingException e, String text, Problems problems) {
    String message = e.getOriginalMessage();
    List<int[]> places = new ArrayList<>();
    Matcher place = PLACE.matcher(message);
    while (place.find()) {
      places.add(new int[] {Integer.parseInt(place.group(1)), Integer.parseInt(place.group(2))});
    }
    // The parser's words are: while doing something, its place, what is wrong, its place.
    String reason =
        message
            .lines()
            .filter(line -> !line.isBlank() && !line.startsWith(" "))
            .reduce((first, second) -> second)
            .orElse("")
            .strip();
    int[] first = places.isEmpty() ? new int[] {0, 0} : places.get(0);
    int[] last = places.isEmpty() ? first : places.get(places.size() - 1);
    if (reason.contains("special characters are not allowed") || reason.contains("unacceptable")) {
      int at = text.codePoints().takeWhile(YamlReader::isText).map(Character::charCount).sum();
      String before = text.substring(0, at);
      return problems.fatal(
          (int) before.chars().filter(c -> c == '\n').count() + 1,
          before
                  .substring(before.lastIndexOf('\n') + 1)
                  .codePointCount(0, at - before.lastIndexOf('\n') - 1)
              + 1,
          String.format(
              "a character that is no text stands here (U+%04X): is this a pipeline file?",
              (int) text.charAt(Math.min(at, text.length() - 1))));
    } else if (reason.contains("'\\t'") || reason.contains("TAB") || isTab(text, first, last)) {
      int line = tab(text, first[0]);
      return problems.fatal(
          line, line == 0 ? 0 : 1, "a tab stands where spaces are wanted: indent with spaces");
    }
    boolean opened = OPENED.stream().anyMatch(reason::contains) && !reason.contains("got ?");
    int[] at = opened ? first : last;
    return problems.fatal(at[0], at[1], explained(reason));
  }

  private static boolean isText(int c) {
    return c == '\t'
        || c == '\n'
        || c == '\r'
        || c == 0x85
        || (c >= ' ' && (c < 0x7f || c >= 0xa0) && c != 0xfffe && c != 0xffff);
  }

  private static boolean isTab(String text, int[] first, int[] last) {
    int line = tab(text, first[0]);
    return line > 0 && line <= last[0];
  }

  /** The first line from one on that is indented with a tab; 0 where none is. */
  private static int tab(String text, int from) {
    String[] lines = text.split("\n", -1);
    for (int line = Math.max(from, 1); line <= lines.length; line++) {
      String there = lines[line - 1];
      if (!there.isBlank()
          && there.substring(0, there.length() - there.stripLeading().length()).contains("\t")) {
        return line;
      }
    }
    return 0;
  }

  private static String explained(String reason) {
    if (reason.contains("mapping values are not allowed here")) {
      return "a \": \" stands where no name can begin. Is the indentation right, and is a text with"
          + " \": \" in it quoted?";
    } else if (reason.contains("could not find expected ':'")) {
      return "this is neither a name with its value, such as \"failed: stop\" with a space behind the"
          + " colon, nor does it go on with what stands above it";
    } else if (reason.contains("got ?")) {
      return "a \"?\" needs quotes inside { }: write \"string?\"";
    } else if (reason.contains("'<scalar>'")) {
      return "more stands behind a text in quotes: put quotes around all of it, such as"
          + " '\"a\" + event.type'";
    } else if (reason.contains("expected <block end>")) {
      return "this does not stand where the lines above it lead one to expect: is it indented as"
          + " they are?";
    } else if (reason.contains("expected ',' or")) {
      return "a bracket opens here and is not closed, or a comma is missing in it";
    } else if (reason.contains("found unexpected end of stream")) {
      return "a quote opens here and is not closed";
    } else if (reason.contains("unexpected character found *")) {
      return "a text that begins with * needs quotes";
    }
    Matcher token = TOKEN.matcher(reason);
    return token.find()
        ? "a text that begins with " + token.group(1) + " needs quotes"
        : "this is not YAML: " + reason;
  }
}
