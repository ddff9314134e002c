package dev.oncefold;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A record whose fields are known only when the program runs: for folds that are not written in
 * Java. {@link Codec#of(Row.Type)} writes it as the default codec writes a record of the same
 * fields, byte for byte, and reads what was written under other fields by the same rules.
 *
 * <p>Immutable. Equal to a row of the same type with equal values.
 */
public final class Row {
  private final Type type;
  private final @Nullable Object[] values;

  private Row(Type type, @Nullable Object[] values) {
    this.type = type;
    this.values = values;
  }

  /**
   * A field of a row.
   *
   * @param name its name: letters, digits and underscores
   * @param type one of the basic types that {@link Codec#of(Class)} covers; a primitive where it is
   *     never null and Java has one
   * @param mayBeNull whether it may be null
   */
  public record Column(String name, Class<?> type, boolean mayBeNull) {
    public Column {
      if (!Schema.isWord(name)) {
        throw new IllegalArgumentException(
            "\"" + name + "\" is no name for a column: take letters, digits and underscores");
      }
      if (BasicShape.of(type) == null) {
        throw new IllegalArgumentException(
            "a column cannot be a " + type.getName() + ", only one of " + BasicShape.names());
      }
      if (mayBeNull && type.isPrimitive()) {
        throw new IllegalArgumentException("a " + type + " cannot be null: take its box");
      }
    }
  }

  /**
   * The columns of some rows, and the name that the schema has for them. Immutable, compared by
   * value.
   */
  public static final class Type {
    private final String name;
    private final List<Column> columns;
    private final Map<String, Integer> places = new HashMap<>();

    /**
     * A type of rows.
     *
     * @param name stands in the schema as the name of a record class would
     * @param columns the columns, in the order in which they are written
     * @throws IllegalArgumentException if a name is there twice, or cannot be used
     */
    public Type(String name, List<Column> columns) {
      if (!Schema.isWord(name) || name.equals("List") || BasicShape.called(name) != null) {
        throw new IllegalArgumentException("\"" + name + "\" is no name for a type of rows");
      }
      this.name = name;
      this.columns = List.copyOf(columns);
      Set<String> names = new HashSet<>();
      for (Column column : columns) {
        if (!names.add(column.name())) {
          throw new IllegalArgumentException(
              "the column \"" + column.name() + "\" of " + name + " is there twice");
        }
        places.put(column.name(), places.size());
      }
    }

    /**
     * The type of rows that were written under a schema, to read them as they are.
     *
     * @param schema a schema of the default codec: of a record with components of basic types
     * @return the type; every column that is no primitive may be null
     * @throws CodecException if it is another schema
     */
    public static Type of(String schema) {
      Schema parsed = Schema.parse(schema);
      if (!(parsed.root() instanceof Schema.Named named)
          || !(parsed.definitions().get(named.name()) instanceof Schema.Fields fields)) {
        throw new CodecException("\"" + schema + "\" is no schema of rows");
      }
      List<Column> columns = new ArrayList<>();
      fields
          .types()
          .forEach(
              (name, type) -> {
                if (!(type instanceof Schema.Basic basic)) {
                  throw new CodecException(
                      "\"" + schema + "\" is no schema of rows: " + name + " is a " + type);
                }
                Class<?> java = basic.shape().type();
                columns.add(new Column(name, java, !java.isPrimitive()));
              });
      return new Type(named.name(), columns);
    }

    /**
     * The name in the schema.
     *
     * @return the name
     */
    public String name() {
      return name;
    }

    /**
     * The columns.
     *
     * @return the columns, in order
     */
    public List<Column> columns() {
      return columns;
    }

    /**
     * The place of a column.
     *
     * @param column its name
     * @return its place from 0, or -1 where there is none of the name
     */
    public int place(String column) {
      return places.getOrDefault(column, -1);
    }

    /**
     * A row. Whether the values are of the columns' types is checked when it is written.
     *
     * @param values a value for each column, in order; the array is the row's from here on
     * @return the row
     */
    public Row row(@Nullable Object... values) {
      if (values.length != columns.size()) {
        throw new IllegalArgumentException(
            name + " has " + columns.size() + " columns, not " + values.length);
      }
      return new Row(this, values);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other
          || (other instanceof Type that && name.equals(that.name) && columns.equals(that.columns));
    }

    @Override
    public int hashCode() {
      return Objects.hash(name, columns);
    }

    @Override
    public String toString() {
      return name + columns;
    }
  }

  /**
   * The type of the row.
   *
   * @return its columns
   */
  public Type type() {
    return type;
  }

  /**
   * The value at a place.
   *
   * @param place the place of the column, from 0
   * @return its value
   */
  public @Nullable Object at(int place) {
    return values[place];
  }

  /**
   * The value of a column.
   *
   * @param column its name
   * @return its value
   * @throws IllegalArgumentException if there is no such column
   */
  public @Nullable Object get(String column) {
    int place = type.place(column);
    if (place < 0) {
      throw new IllegalArgumentException(
          "a row of " + type.name() + " has no column \"" + column + "\"");
    }
    return values[place];
  }

  /**
   * A copy of the values.
   *
   * @return a value for each column, in order
   */
  public @Nullable Object[] values() {
    return values.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Row that
        && type.equals(that.type)
        && Arrays.equals(values, that.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  /** As a record prints itself. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(type.name()).append('[');
    for (int i = 0; i < values.length; i++) {
      text.append(i == 0 ? "" : ", ")
          .append(type.columns().get(i).name())
          .append('=')
          .append(values[i]);
    }
    return text.append(']').toString();
  }
}
