package dev.oncefold;

import java.lang.annotation.Annotation;
import java.lang.invoke.LambdaConversionException;
import java.lang.invoke.LambdaMetafactory;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.RecordComponent;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * One component of a record: takes it out of a record and writes it, without boxing a primitive. A
 * codec writes several times per event, so there is a class for each way to write.
 */
abstract class Component {
  private final String name;
  private final Shape shape;
  private final boolean mayBeNull;
  private final MethodHandle getter;

  private Component(RecordComponent component, MethodHandle accessor, Shape shape) {
    this(
        component.getName(),
        shape,
        !component.getType().isPrimitive()
            && (isNullable(component)
                || isNullable(component.getAnnotatedType())
                || isNullable(component.getAccessor())
                || isNullable(component.getAccessor().getAnnotatedReturnType())),
        accessor);
  }

  private Component(String name, Shape shape, boolean mayBeNull, MethodHandle accessor) {
    this.name = name;
    this.shape = shape;
    this.mayBeNull = mayBeNull;
    this.getter = accessor.asType(MethodType.methodType(Object.class, Object.class));
  }

  /** A column of rows, at its place in them. */
  static Component of(Row.Column column, int place, Shape shape) {
    try {
      return new OfColumn(
          column,
          place,
          shape,
          MethodHandles.insertArguments(
              MethodHandles.lookup()
                  .findVirtual(Row.class, "at", MethodType.methodType(Object.class, int.class)),
              1,
              place));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A component.
   *
   * @param lookup may look into the record
   */
  static Component of(Lookup lookup, RecordComponent component, Shape shape)
      throws IllegalAccessException {
    MethodHandle accessor = lookup.unreflect(component.getAccessor());
    Class<?> type = component.getType();
    if (type == boolean.class) {
      return new OfBoolean(component, accessor, shape, booleans(lookup, accessor));
    } else if (type == long.class) {
      return new OfLong(component, accessor, shape, longs(lookup, accessor));
    } else if (type == int.class || type == short.class) {
      return new OfInt(component, accessor, shape, ints(lookup, accessor));
    } else if (type == byte.class) {
      return new OfByte(component, accessor, shape, ints(lookup, accessor));
    } else if (type == char.class) {
      return new OfChar(component, accessor, shape, ints(lookup, accessor));
    } else if (type == double.class) {
      return new OfDouble(component, accessor, shape, doubles(lookup, accessor));
    } else if (type == float.class) {
      return new OfFloat(component, accessor, shape, doubles(lookup, accessor));
    } else if (type == String.class) {
      return new OfString(component, accessor, shape, objects(lookup, accessor));
    }
    return new OfObject(component, accessor, shape, objects(lookup, accessor));
  }

  String name() {
    return name;
  }

  Shape shape() {
    return shape;
  }

  /** Whether it is annotated so. */
  boolean mayBeNull() {
    return mayBeNull;
  }

  /** Its value in a record, boxed: for the values of fields that were added. */
  @Nullable Object get(Object record) {
    try {
      return (@Nullable Object) getter.invokeExact(record);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  abstract void write(Object record, Encoder out, int depth);

  private static final class OfBoolean extends Component {
    private final Predicate<Object> get;

    OfBoolean(
        RecordComponent component, MethodHandle accessor, Shape shape, Predicate<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeBoolean(get.test(record));
    }
  }

  private static final class OfLong extends Component {
    private final ToLongFunction<Object> get;

    OfLong(
        RecordComponent component, MethodHandle accessor, Shape shape, ToLongFunction<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeSigned(get.applyAsLong(record));
    }
  }

  private static final class OfInt extends Component {
    private final ToIntFunction<Object> get;

    OfInt(
        RecordComponent component, MethodHandle accessor, Shape shape, ToIntFunction<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeSigned(get.applyAsInt(record));
    }
  }

  private static final class OfByte extends Component {
    private final ToIntFunction<Object> get;

    OfByte(
        RecordComponent component, MethodHandle accessor, Shape shape, ToIntFunction<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeByte(get.applyAsInt(record));
    }
  }

  private static final class OfChar extends Component {
    private final ToIntFunction<Object> get;

    OfChar(
        RecordComponent component, MethodHandle accessor, Shape shape, ToIntFunction<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeUnsigned(get.applyAsInt(record));
    }
  }

  private static final class OfDouble extends Component {
    private final ToDoubleFunction<Object> get;

    OfDouble(
        RecordComponent component,
        MethodHandle accessor,
        Shape shape,
        ToDoubleFunction<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeDouble(get.applyAsDouble(record));
    }
  }

  private static final class OfFloat extends Component {
    private final ToDoubleFunction<Object> get;

    OfFloat(
        RecordComponent component,
        MethodHandle accessor,
        Shape shape,
        ToDoubleFunction<Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeInt(Float.floatToIntBits((float) get.applyAsDouble(record)));
    }
  }

  private static final class OfString extends Component {
    private final Function<Object, @Nullable Object> get;

    OfString(
        RecordComponent component,
        MethodHandle accessor,
        Shape shape,
        Function<Object, @Nullable Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      out.writeNullableString((String) get.apply(record));
    }
  }

  private static final class OfObject extends Component {
    private final Function<Object, @Nullable Object> get;

    OfObject(
        RecordComponent component,
        MethodHandle accessor,
        Shape shape,
        Function<Object, @Nullable Object> get) {
      super(component, accessor, shape);
      this.get = get;
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      shape().writeNullable(get.apply(record), out, depth);
    }
  }

  private static final class OfColumn extends Component {
    private final int place;
    private final Class<?> type;

    OfColumn(Row.Column column, int place, Shape shape, MethodHandle accessor) {
      super(column.name(), shape, column.mayBeNull(), accessor);
      this.place = place;
      this.type = column.type();
    }

    @Override
    void write(Object record, Encoder out, int depth) {
      Object value = ((Row) record).at(place);
      if (value == null && !mayBeNull()) {
        throw new CodecException("is null");
      }
      // A primitive is written without the byte that tells null, as in a record.
      if (type.isPrimitive() && value != null) {
        shape().write(value, out, depth);
      } else {
        shape().writeNullable(value, out, depth);
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static ToLongFunction<Object> longs(Lookup lookup, MethodHandle accessor) {
    Object made = function(lookup, accessor, ToLongFunction.class, "applyAsLong", long.class);
    if (made != null) {
      return (ToLongFunction<Object>) made;
    }
    MethodHandle get = accessor.asType(MethodType.methodType(long.class, Object.class));
    return record -> {
      try {
        return (long) get.invokeExact(record);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static ToIntFunction<Object> ints(Lookup lookup, MethodHandle accessor) {
    Object made = function(lookup, accessor, ToIntFunction.class, "applyAsInt", int.class);
    if (made != null) {
      return (ToIntFunction<Object>) made;
    }
    MethodHandle get = accessor.asType(MethodType.methodType(int.class, Object.class));
    return record -> {
      try {
        return (int) get.invokeExact(record);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static ToDoubleFunction<Object> doubles(Lookup lookup, MethodHandle accessor) {
    Object made = function(lookup, accessor, ToDoubleFunction.class, "applyAsDouble", double.class);
    if (made != null) {
      return (ToDoubleFunction<Object>) made;
    }
    MethodHandle get = accessor.asType(MethodType.methodType(double.class, Object.class));
    return record -> {
      try {
        return (double) get.invokeExact(record);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static Predicate<Object> booleans(Lookup lookup, MethodHandle accessor) {
    Object made = function(lookup, accessor, Predicate.class, "test", boolean.class);
    if (made != null) {
      return (Predicate<Object>) made;
    }
    MethodHandle get = accessor.asType(MethodType.methodType(boolean.class, Object.class));
    return record -> {
      try {
        return (boolean) get.invokeExact(record);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static Function<Object, @Nullable Object> objects(Lookup lookup, MethodHandle accessor) {
    Object made = function(lookup, accessor, Function.class, "apply", Object.class);
    if (made != null) {
      return (Function<Object, @Nullable Object>) made;
    }
    MethodHandle get = accessor.asType(MethodType.methodType(Object.class, Object.class));
    return record -> {
      try {
        return (@Nullable Object) get.invokeExact(record);
      } catch (Throwable e) {
        throw unchecked(e);
      }
    };
  }

  /**
   * Makes the function that javac would make of {@code Account::cents}: as fast as a call. That
   * needs full access, which another module or class loader does not give; then a method handle
   * does it, a few nanoseconds slower.
   *
   * @return null if it cannot be made
   */
  private static @Nullable Object function(
      Lookup lookup, MethodHandle accessor, Class<?> kind, String method, Class<?> result) {
    MethodType exact =
        result.isPrimitive() ? accessor.type().changeReturnType(result) : accessor.type();
    try {
      return LambdaMetafactory.metafactory(
              lookup,
              method,
              MethodType.methodType(kind),
              MethodType.methodType(result, Object.class),
              accessor,
              exact)
          .getTarget()
          .invoke();
    } catch (LambdaConversionException | LinkageError e) {
      return null;
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** What an accessor can throw: the language allows it no checked exception. */
  private static RuntimeException unchecked(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
  }

  private static boolean isNullable(AnnotatedElement element) {
    for (Annotation annotation : element.getAnnotations()) {
      if (annotation.annotationType().getSimpleName().equals("Nullable")) {
        return true;
      }
    }
    return false;
  }
}
