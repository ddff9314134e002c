package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a state becomes the typed columns of a table and back: {@link #state} of what {@link #values}
 * answered gives an equal state. Immutable and safe for use by several threads.
 *
 * @param <S> the type of one key's state
 */
public interface Columns<S> {
  /**
   * The columns, in the order of the values. That of the key and {@code oncefold_version} are the
   * store's own.
   *
   * @return the columns
   */
  List<Column> columns();

  /**
   * Takes a state apart.
   *
   * @param state the state
   * @return a value for each column, of its type's {@link Type#java} or null where it may be
   * @throws CodecException if the database could not give back an equal state
   */
  @Nullable Object[] values(S state);

  /**
   * Makes a state of the values of its columns.
   *
   * @param values a value for each column
   * @return the state
   * @throws CodecException if they make none
   */
  S state(@Nullable Object[] values);

  /**
   * The columns of the states that an initial state is one of: one for each component of a record
   * ({@code lastSeq} becomes {@code last_seq}), one for each column of a {@link dev.oncefold.Row},
   * or one named {@code state} for a basic type.
   *
   * <p>Whole numbers become {@code bigint}, BigDecimal and BigInteger {@code numeric}, String,
   * char, UUID, Duration, LocalDate and enums {@code text}, boolean {@code boolean}, Instant {@code
   * timestamptz}, float and double {@code double precision}, and records, lists and sealed
   * interfaces inside a record {@code jsonb}. What a column cannot give back as an equal value is a
   * {@link CodecException}: an Instant finer than a microsecond, a BigDecimal of negative scale,
   * text with a NUL or half a surrogate pair.
   *
   * @param initial the fold's initial state
   * @param <S> the type of one key's state
   * @return the columns
   * @throws IllegalArgumentException if the type is not covered
   */
  static <S> Columns<S> of(S initial) {
    return StateColumns.of(initial);
  }

  /**
   * One column named {@code state} of type {@code jsonb}, for states that are not one record: those
   * of a sealed interface, for instance.
   *
   * @param type the type of the states
   * @param <S> the type of one key's state
   * @return the column
   */
  static <S> Columns<S> json(Class<S> type) {
    return StateColumns.json(type);
  }

  /** The type of a column. */
  enum Type {
    /** {@code bigint}. */
    BIGINT("bigint", Long.class),
    /** {@code numeric}, without a precision of its own. */
    NUMERIC("numeric", java.math.BigDecimal.class),
    /** {@code text}. */
    TEXT("text", String.class),
    /** {@code boolean}. */
    BOOLEAN("boolean", Boolean.class),
    /** {@code timestamptz}, exact to the microsecond. */
    TIMESTAMPTZ("timestamp with time zone", java.time.Instant.class),
    /** {@code double precision}. */
    DOUBLE("double precision", Double.class),
    /** {@code jsonb}, given as its text. */
    JSONB("jsonb", String.class);

    private final String sql;
    private final Class<?> java;

    Type(String sql, Class<?> java) {
      this.sql = sql;
      this.java = java;
    }

    /**
     * Its name in PostgreSQL.
     *
     * @return the name, as {@code format_type} tells it
     */
    public String sql() {
      return sql;
    }

    /**
     * The class of its values.
     *
     * @return the class
     */
    public Class<?> java() {
      return java;
    }
  }

  /**
   * A column.
   *
   * @param name its name
   * @param type its type
   * @param mayBeNull whether it may be null
   */
  record Column(String name, Type type, boolean mayBeNull) {
    public Column {
      Objects.requireNonNull(type);
      Name.of(name); // checks it
    }
  }
}
