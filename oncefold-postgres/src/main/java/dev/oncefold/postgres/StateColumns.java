package dev.oncefold.postgres;

import dev.oncefold.CodecException;
import dev.oncefold.Row;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The columns of the states of a fold: their names, and a {@link Form} for each. */
final class StateColumns<S> implements Columns<S> {
  private static final String ONLY = "state";

  private final List<Column> columns;
  private final List<Form> forms;
  private final Function<S, @Nullable Object[]> apart;
  private final Function<@Nullable Object[], S> made;

  private StateColumns(
      List<Column> columns,
      List<Form> forms,
      Function<S, @Nullable Object[]> apart,
      Function<@Nullable Object[], S> made) {
    this.columns = List.copyOf(columns);
    this.forms = List.copyOf(forms);
    this.apart = apart;
    this.made = made;
  }

  static <S> Columns<S> of(S initial) {
    if (initial instanceof Row row) {
      return ofRow(row.type());
    }
    @SuppressWarnings("unchecked")
    Class<S> type = (Class<S>) initial.getClass();
    if (type.isRecord()) {
      return ofRecord(type);
    }
    Form form = Form.basic(type);
    if (form == null) {
      throw new IllegalArgumentException(
          "a state of "
              + type.getName()
              + " is neither a record nor of a basic type: say what its columns are by"
              + " Options.columns, for instance Columns.json("
              + type.getSimpleName()
              + ".class)");
    }
    return single(type, form);
  }

  static <S> Columns<S> json(Class<S> type) {
    return single(type, Form.json(type));
  }

  private static <S> Columns<S> single(Class<S> type, Form form) {
    return new StateColumns<>(
        List.of(new Column(ONLY, form.type(), false)),
        List.of(form),
        state -> new @Nullable Object[] {state},
        values -> type.cast(values[0]));
  }

  private static <S> Columns<S> ofRow(Row.Type type) {
    List<Column> columns = new ArrayList<>();
    List<Form> forms = new ArrayList<>();
    for (Row.Column column : type.columns()) {
      add(type.name(), column.name(), column.type(), column.mayBeNull(), columns, forms);
    }
    @SuppressWarnings("unchecked") // only for a fold over rows
    StateColumns<S> made =
        (StateColumns<S>)
            new StateColumns<Row>(
                columns,
                forms,
                row -> {
                  if (!row.type().equals(type)) {
                    throw new CodecException("a row of " + row.type() + " is none of " + type);
                  }
                  return row.values();
                },
                type::row);
    return made;
  }

  private static <S> Columns<S> ofRecord(Class<S> type) {
    List<Column> columns = new ArrayList<>();
    List<Form> forms = new ArrayList<>();
    RecordComponent[] components = type.getRecordComponents();
    Method[] accessors = new Method[components.length];
    Class<?>[] types = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent component = components[i];
      types[i] = component.getType();
      accessors[i] = component.getAccessor();
      accessors[i].setAccessible(true);
      add(
          type.getName(),
          snake(component.getName()),
          component.getGenericType(),
          !component.getType().isPrimitive(),
          columns,
          forms);
    }
    try {
      Constructor<S> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return new StateColumns<>(
          columns,
          forms,
          state -> apart(type, accessors, state),
          values -> make(constructor, values));
    } catch (NoSuchMethodException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static void add(
      String owner,
      String name,
      java.lang.reflect.Type type,
      boolean mayBeNull,
      List<Column> columns,
      List<Form> forms) {
    Form basic = type instanceof Class<?> c ? Form.basic(c) : null;
    Form form = basic != null ? basic : Form.json(type);
    for (Column column : columns) {
      if (column.name().equals(name)) {
        throw new IllegalArgumentException(
            "two fields of " + owner + " would be the column \"" + name + "\": rename one");
      }
    }
    columns.add(new Column(name, form.type(), mayBeNull));
    forms.add(form);
  }

  private static @Nullable Object[] apart(Class<?> type, Method[] accessors, Object state) {
    if (state.getClass() != type) {
      throw new CodecException(
          "a state of "
              + state.getClass().getName()
              + " does not fit the columns of "
              + type.getName()
              + ", which the initial state is: say what the columns are by Options.columns");
    }
    @Nullable Object[] values = new @Nullable Object[accessors.length];
    for (int i = 0; i < values.length; i++) {
      try {
        values[i] = accessors[i].invoke(state);
      } catch (InvocationTargetException e) {
        throw new CodecException(accessors[i].getName() + "() threw " + e.getCause(), e);
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }
    return values;
  }

  private static <S> S make(Constructor<S> constructor, @Nullable Object[] values) {
    try {
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new CodecException(
          "the constructor of "
              + constructor.getDeclaringClass().getName()
              + " refuses "
              + Arrays.toString(values)
              + ": "
              + e.getCause(),
          e);
    } catch (IllegalArgumentException | ReflectiveOperationException e) {
      throw new CodecException("no state can be made of " + Arrays.toString(values) + ": " + e, e);
    }
  }

  /** What a field of Java's is usually called in SQL, where case means nothing unless quoted. */
  private static String snake(String name) {
    return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }

  @Override
  public List<Column> columns() {
    return columns;
  }

  @Override
  public @Nullable Object[] values(S state) {
    @Nullable Object[] values = apart.apply(state);
    for (int i = 0; i < values.length; i++) {
      Object value = values[i];
      if (value != null) {
        try {
          values[i] = forms.get(i).store().apply(value);
        } catch (RuntimeException e) {
          throw wrong(i, e);
        }
      } else if (!columns.get(i).mayBeNull()) {
        throw new CodecException("column \"" + columns.get(i).name() + "\": is null");
      }
    }
    return values;
  }

  @Override
  public S state(@Nullable Object[] values) {
    @Nullable Object[] read = values.clone();
    for (int i = 0; i < read.length; i++) {
      Object value = read[i];
      if (value != null) {
        try {
          read[i] = forms.get(i).restore().apply(value);
        } catch (RuntimeException e) {
          throw wrong(i, e);
        }
      }
    }
    return made.apply(read);
  }

  private CodecException wrong(int place, RuntimeException e) {
    return new CodecException("column \"" + columns.get(place).name() + "\": " + e.getMessage(), e);
  }
}
