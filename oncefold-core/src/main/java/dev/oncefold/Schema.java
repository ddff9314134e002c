package dev.oncefold;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A schema text of the default codec, taken apart. {@link RecordCodec} has the grammar. The text
 * comes from a disk: whatever is in it, parsing takes memory in proportion to it, does not recurse,
 * and throws nothing but {@link CodecException}.
 *
 * @param root the type of the values
 * @param definitions the named types
 */
record Schema(Type root, Map<String, Definition> definitions) {
  /** How deep lists of lists go. */
  static final int MAX_LISTS = 16;

  /** A type as a field names it; its text is what {@link #toString} gives. */
  sealed interface Type permits Basic, Named, Listed {}

  /** A type that stands for itself. */
  record Basic(BasicShape shape) implements Type {
    @Override
    public String toString() {
      return shape.toString();
    }
  }

  /** A type that has a definition. */
  record Named(String name) implements Type {
    @Override
    public String toString() {
      return name;
    }
  }

  /** A list. */
  record Listed(Type element) implements Type {
    @Override
    public String toString() {
      return "List<" + element + ">";
    }
  }

  /** What a name stands for. */
  sealed interface Definition permits Fields, Variants, Constants {}

  /** A record: its components in order. */
  record Fields(Map<String, Type> types) implements Definition {}

  /** A sealed interface: the names of its records and enums. */
  record Variants(List<String> names) implements Definition {}

  /** An enum: its constants. */
  record Constants(List<String> names) implements Definition {}

  /** The last word of a name: what a type is called in any package. */
  static String simple(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** Whether a name can stand in a schema. Other languages of the JVM allow more than Java. */
  static boolean isWord(String name) {
    return !name.isEmpty() && name.codePoints().allMatch(Character::isJavaIdentifierPart);
  }

  static Schema parse(String text) {
    return new Parser(text).schema();
  }

  private static final class Parser {
    private final String text;
    private int at;
    private final Map<String, Definition> definitions = new LinkedHashMap<>();
    private final Set<String> used = new HashSet<>();

    Parser(String text) {
      this.text = text;
    }

    Schema schema() {
      String first = name();
      Type root;
      if (at == text.length()) {
        BasicShape basic = BasicShape.called(first);
        if (basic == null) {
          throw trouble("\"" + first + "\" is not a basic type");
        }
        root = new Basic(basic);
      } else {
        root = new Named(first);
        define(first);
        while (at < text.length()) {
          expect(';');
          define(name());
        }
      }
      for (String name : used) {
        if (!definitions.containsKey(name)) {
          throw trouble("\"" + name + "\" has no definition");
        }
      }
      return new Schema(root, definitions);
    }

    private void define(String name) {
      if (name.equals("List") || BasicShape.called(name) != null) {
        throw trouble("\"" + name + "\" cannot be defined");
      }
      Definition definition;
      if (taken('{')) {
        definition = fields();
      } else if (taken('[')) {
        List<String> variants = new ArrayList<>();
        do {
          variants.add(name());
        } while (taken(','));
        expect(']');
        used.addAll(variants);
        definition = new Variants(distinct(variants));
      } else {
        expect('(');
        List<String> constants = new ArrayList<>();
        if (!taken(')')) {
          do {
            constants.add(word());
          } while (taken(','));
          expect(')');
        }
        definition = new Constants(distinct(constants));
      }
      if (definitions.put(name, definition) != null) {
        throw trouble("\"" + name + "\" is defined twice");
      }
    }

    private Fields fields() {
      Map<String, Type> types = new LinkedHashMap<>();
      if (taken('}')) {
        return new Fields(types);
      }
      do {
        String field = word();
        expect(':');
        if (types.put(field, type()) != null) {
          throw trouble("the field \"" + field + "\" is there twice");
        }
      } while (taken(','));
      expect('}');
      return new Fields(types);
    }

    private Type type() {
      int lists = 0;
      String name = name();
      while (name.equals("List")) {
        if (++lists > MAX_LISTS) {
          throw trouble("lists of lists go deeper than " + MAX_LISTS);
        }
        expect('<');
        name = name();
      }
      BasicShape basic = BasicShape.called(name);
      Type type = basic != null ? new Basic(basic) : new Named(name);
      if (basic == null) {
        used.add(name);
      }
      for (int i = 0; i < lists; i++) {
        expect('>');
        type = new Listed(type);
      }
      return type;
    }

    private String name() {
      int from = at;
      word();
      while (taken('.')) {
        word();
      }
      return text.substring(from, at);
    }

    private String word() {
      int from = at;
      while (at < text.length()) {
        int point = text.codePointAt(at);
        if (!Character.isJavaIdentifierPart(point)) {
          break;
        }
        at += Character.charCount(point);
      }
      if (at == from) {
        throw trouble("a name is expected");
      }
      return text.substring(from, at);
    }

    private boolean taken(char c) {
      if (at < text.length() && text.charAt(at) == c) {
        at++;
        return true;
      }
      return false;
    }

    private void expect(char c) {
      if (!taken(c)) {
        throw trouble("'" + c + "' is expected");
      }
    }

    private List<String> distinct(List<String> names) {
      Set<String> seen = new HashSet<>();
      for (String name : names) {
        if (!seen.add(name)) {
          throw trouble("\"" + name + "\" is there twice");
        }
      }
      return List.copyOf(names);
    }

    private CodecException trouble(String what) {
      return new CodecException("not a schema: " + what + " (at character " + at + ")");
    }
  }
}
