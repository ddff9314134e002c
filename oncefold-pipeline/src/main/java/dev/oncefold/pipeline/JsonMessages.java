package dev.oncefold.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says what a JSON parser complains about in words for who wrote the data. */
final class JsonMessages {
  private static final Pattern CHARACTER =
      Pattern.compile("Unexpected character \\('(.)' \\(code \\d+.*?\\)\\)(.*)", Pattern.DOTALL);
  private static final Pattern TOKEN =
      Pattern.compile("(?:Unrecognized|Non-standard) token '([^']*)'.*", Pattern.DOTALL);
  private static final Pattern ESCAPE =
      Pattern.compile("Unrecognized character escape '?(.).*", Pattern.DOTALL);
  private static final Pattern CONTROL =
      Pattern.compile(".*CTRL-CHAR, code (\\d+)\\).*", Pattern.DOTALL);

  private JsonMessages() {}

  static String told(JsonProcessingException e) {
    String message = e.getOriginalMessage();
    Matcher character = CHARACTER.matcher(message);
    Matcher token = TOKEN.matcher(message);
    Matcher escape = ESCAPE.matcher(message);
    Matcher control = CONTROL.matcher(message);
    if (message.startsWith("Unexpected end-of-input")) {
      return "it ends too early";
    } else if (control.matches()) {
      return String.format(
          "a control character stands in it; in a text it is written \\u%04x",
          Integer.parseInt(control.group(1)));
    } else if (character.matches()) {
      return "\"" + character.group(1) + "\" does not belong here" + wanted(character.group(2));
    } else if (token.matches()) {
      return "\""
          + token.group(1)
          + "\" is no value: texts stand in double quotes, and beside numbers there is true, false"
          + " and null";
    } else if (escape.matches()) {
      return "\\" + escape.group(1) + " is no escape: a backslash in a text is written \\\\";
    } else if (message.startsWith("Invalid UTF-8")) {
      return "it is not in UTF-8: convert the file";
    } else if (message.contains("eading zeroes")) {
      return "a number begins with a 0 too many";
    } else if (message.startsWith("Document nesting depth")) {
      return "it is nested too deep";
    } else if (message.startsWith("Number value length")) {
      return "a number in it has more than 1000 digits";
    } else if (message.contains("exceeds the maximum")) {
      return "a name or text in it is too long";
    }
    // Places in the parser's own input say nothing here: the line is all it had.
    String first = message.lines().findFirst().orElse("");
    return first.replaceAll(" ?\\((start marker|for JsonReadFeature).*", "").strip();
  }

  private static String wanted(String more) {
    if (more.contains("double-quote to start field name")) {
      return ": a name in double quotes comes next";
    } else if (more.contains("expecting comma")) {
      return ": a comma is missing before it";
    } else if (more.contains("expecting a colon")) {
      return ": a colon comes next";
    } else if (more.contains("plus sign")) {
      return ": numbers have no + before them";
    } else if (more.contains("point not followed")) {
      return ": a digit comes behind a point";
    }
    return "";
  }
}
