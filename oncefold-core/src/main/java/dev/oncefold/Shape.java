package dev.oncefold;

import java.lang.invoke.MethodHandle;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A type of the program as the default codec sees it: how its values are written, and how a schema
 * names it. {@link Shapes} makes them, complete, before anybody else sees one; from then on they do
 * not change.
 */
abstract class Shape {
  /** How many records and lists may be in each other, the outermost included. */
  static final int MAX_DEPTH = 64;

  /** Writes a value that is not null. Depth is how many records and lists it is in. */
  abstract void write(Object value, Encoder out, int depth);

  /**
   * Writes a value or null. Where the form of a value starts with a count or an index, null is 0
   * there and the number is one more; otherwise a byte of 0 or 1 goes before.
   */
  void writeNullable(@Nullable Object value, Encoder out, int depth) {
    if (value == null) {
      out.writeByte(0);
    } else {
      out.writeByte(1);
      write(value, out, depth);
    }
  }

  /** The type in the words of a message. */
  String told() {
    return toString();
  }

  /** The type as the field of a record names it in a schema. */
  @Override
  public abstract String toString();

  static void checkDepth(int depth) {
    if (depth >= MAX_DEPTH) {
      throw new CodecException(
          "more than " + MAX_DEPTH + " records and lists are nested in each other");
    }
  }

  /** A type that has a definition in the schema. */
  abstract static class Named extends Shape {
    private final Class<?> type;
    private final String simple;
    private String name;

    private Named(Class<?> type) {
      this(type, type.getSimpleName());
    }

    private Named(Class<?> type, String simple) {
      this.type = type;
      this.simple = simple;
      this.name = simple;
    }

    Class<?> type() {
      return type;
    }

    /** The name without a package, which schemas of other versions go by. */
    String simple() {
      return simple;
    }

    /** The types that the definition names. */
    abstract List<Shape> parts();

    abstract String definition();

    /** The name that no other type has, as {@link Shapes} gives it where simple names collide. */
    void qualify(String qualified) {
      this.name = qualified;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** A record: its components one after the other. */
  static final class OfRecord extends Named {
    private Component[] components = {};
    private Map<String, Integer> indexes = Map.of();
    private @Nullable MethodHandle constructor;

    OfRecord(Class<?> type) {
      super(type);
    }

    OfRecord(Row.Type type) {
      super(Row.class, type.name());
    }

    /**
     * Completes the record. A record that contains itself must be there before its components are.
     *
     * @param constructor takes all components in one array; null for one that is only written
     */
    void complete(List<Component> components, @Nullable MethodHandle constructor) {
      this.components = components.toArray(Component[]::new);
      this.indexes = new LinkedHashMap<>();
      for (int i = 0; i < this.components.length; i++) {
        indexes.put(this.components[i].name(), i);
      }
      this.constructor = constructor;
    }

    int size() {
      return components.length;
    }

    Component component(int index) {
      return components[index];
    }

    /** The place of a component, or -1. */
    int indexOf(String name) {
      return indexes.getOrDefault(name, -1);
    }

    @Override
    void write(Object value, Encoder out, int depth) {
      checkDepth(depth);
      int i = 0;
      try {
        for (; i < components.length; i++) {
          components[i].write(value, out, depth + 1);
        }
      } catch (RuntimeException e) {
        throw CodecException.of("cannot be written", e).at("." + components[i].name());
      }
    }

    /** Makes a record. Its constructor may refuse the values. */
    Object make(@Nullable Object[] values) {
      try {
        return (Object) Objects.requireNonNull(constructor).invokeExact(values);
      } catch (Error e) {
        throw e;
      } catch (Throwable e) {
        throw new CodecException("the constructor of " + this + " refuses what was read: " + e, e);
      }
    }

    @Override
    List<Shape> parts() {
      return List.of(components).stream().map(Component::shape).toList();
    }

    @Override
    String definition() {
      StringBuilder text = new StringBuilder(toString()).append('{');
      for (int i = 0; i < components.length; i++) {
        text.append(i == 0 ? "" : ",")
            .append(components[i].name())
            .append(':')
            .append(components[i].shape());
      }
      return text.append('}').toString();
    }

    @Override
    String told() {
      return "record " + this;
    }
  }

  /** A sealed interface: the index of the variant, and the variant. */
  static final class OfSealed extends Named {
    private List<Named> variants = List.of();
    private Map<Class<?>, Integer> indexes = Map.of();

    OfSealed(Class<?> type) {
      super(type);
    }

    /** Completes it with the records and enums, those of further sealed interfaces included. */
    void complete(List<Named> variants) {
      this.variants = variants;
      this.indexes = new LinkedHashMap<>();
      for (int i = 0; i < variants.size(); i++) {
        indexes.put(variants.get(i).type(), i);
      }
    }

    List<Named> variants() {
      return variants;
    }

    @Override
    void write(Object value, Encoder out, int depth) {
      write(value, 0, out, depth);
    }

    @Override
    void writeNullable(@Nullable Object value, Encoder out, int depth) {
      if (value == null) {
        out.writeByte(0);
      } else {
        write(value, 1, out, depth);
      }
    }

    private void write(Object value, int plus, Encoder out, int depth) {
      // A constant with a body of its own has a class of its own.
      Class<?> type =
          value instanceof Enum<?> constant ? constant.getDeclaringClass() : value.getClass();
      Integer index = indexes.get(type);
      if (index == null) {
        throw new CodecException(type.getName() + " is not a variant of " + this);
      }
      out.writeUnsigned(index + plus);
      Named variant = variants.get(index);
      try {
        variant.write(value, out, depth);
      } catch (CodecException e) {
        throw e.at("(" + Schema.simple(variant.toString()) + ")");
      }
    }

    @Override
    List<Shape> parts() {
      return List.copyOf(variants);
    }

    @Override
    String definition() {
      return this + "[" + String.join(",", variants.stream().map(Shape::toString).toList()) + "]";
    }

    @Override
    String told() {
      return "sealed " + this;
    }
  }

  /** An enum: the index of the constant. */
  static final class OfEnum extends Named {
    private final Map<String, Enum<?>> constants = new LinkedHashMap<>();

    OfEnum(Class<?> type) {
      super(type);
      for (Object constant : type.getEnumConstants()) {
        Enum<?> value = (Enum<?>) constant;
        constants.put(value.name(), value);
      }
    }

    @Nullable Enum<?> constant(String name) {
      return constants.get(name);
    }

    @Override
    void write(Object value, Encoder out, int depth) {
      out.writeUnsigned(index(value));
    }

    @Override
    void writeNullable(@Nullable Object value, Encoder out, int depth) {
      out.writeUnsigned(value == null ? 0 : index(value) + 1);
    }

    // The schema has the constants in this order, so that one that moves is found by its name.
    @SuppressWarnings("EnumOrdinal")
    private static int index(Object value) {
      return ((Enum<?>) value).ordinal();
    }

    @Override
    List<Shape> parts() {
      return List.of();
    }

    @Override
    String definition() {
      return this + "(" + String.join(",", constants.keySet()) + ")";
    }

    @Override
    String told() {
      return "enum " + this;
    }
  }

  /** A list: its size, and its elements, each of which may be null. */
  static final class OfList extends Shape {
    private final Shape element;

    OfList(Shape element) {
      this.element = element;
    }

    Shape element() {
      return element;
    }

    @Override
    void write(Object value, Encoder out, int depth) {
      write((List<?>) value, 0, out, depth);
    }

    @Override
    void writeNullable(@Nullable Object value, Encoder out, int depth) {
      if (value == null) {
        out.writeByte(0);
      } else {
        write((List<?>) value, 1, out, depth);
      }
    }

    private void write(List<?> list, int plus, Encoder out, int depth) {
      checkDepth(depth);
      int size = list.size();
      out.writeUnsigned((long) size + plus);
      int i = 0;
      try {
        for (Object value : list) {
          element.writeNullable(value, out, depth + 1);
          i++;
        }
      } catch (RuntimeException e) {
        throw CodecException.of("cannot be written", e).at("[" + i + "]");
      }
      // Bytes that promise another number of elements could not be read again.
      if (i != size) {
        throw new CodecException("the list had " + size + " elements, then " + i);
      }
    }

    @Override
    public String toString() {
      return "List<" + element + ">";
    }
  }
}
