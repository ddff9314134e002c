package dev.oncefold;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The types that a class is made of, found by reflection, and their schema. */
final class Shapes {
  private final Class<?> type;
  private final Map<Class<?>, Shape.Named> named = new LinkedHashMap<>();
  private final Map<String, Shape.Named> qualified = new HashMap<>();
  private final Shape root;
  private final String schema;

  /**
   * Looks into a class.
   *
   * @throws IllegalArgumentException if something in it is not covered
   */
  Shapes(Class<?> type) {
    this.type = type;
    this.root = shape(type, "");
    name();
    this.schema = schema(root);
  }

  /** The columns of rows: a record without a class of its own. */
  Shapes(Row.Type rows) {
    this.type = Row.class;
    Shape.OfRecord shape = new Shape.OfRecord(rows);
    List<Component> components = new ArrayList<>();
    for (Row.Column column : rows.columns()) {
      components.add(Component.of(column, components.size(), shape(column.type(), column.name())));
    }
    shape.complete(components, maker(rows));
    this.root = shape;
    this.schema = schema(shape);
  }

  private static MethodHandle maker(Row.Type rows) {
    try {
      return MethodHandles.lookup()
          .findVirtual(Row.Type.class, "row", MethodType.methodType(Row.class, Object[].class))
          .asFixedArity()
          .bindTo(rows)
          .asType(MethodType.methodType(Object.class, Object[].class));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  Shape root() {
    return root;
  }

  String schema() {
    return schema;
  }

  /**
   * Whether a type is the one that a written schema names. Packages do not count, unless the name
   * has one that tells two current types apart.
   */
  boolean isCalled(Shape.Named shape, String written) {
    Shape.Named exactly = qualified.get(written);
    return exactly != null ? exactly == shape : shape.simple().equals(Schema.simple(written));
  }

  /** The root definition, and then each that a definition before it names, once. */
  static String schema(Shape root) {
    if (!(root instanceof Shape.Named first)) {
      return root.toString();
    }
    Set<Shape.Named> found = new LinkedHashSet<>(Set.of(first));
    List<String> definitions = new ArrayList<>();
    for (List<Shape.Named> next = List.of(first); !next.isEmpty(); ) {
      List<Shape.Named> further = new ArrayList<>();
      for (Shape.Named shape : next) {
        definitions.add(shape.definition());
        for (Shape part : shape.parts()) {
          while (part instanceof Shape.OfList list) {
            part = list.element();
          }
          if (part instanceof Shape.Named other && found.add(other)) {
            further.add(other);
          }
        }
      }
      next = further;
    }
    return String.join(";", definitions);
  }

  /** Simple names, except where two types share one, or a type has that of a basic one. */
  private void name() {
    Set<String> taken = new HashSet<>();
    Set<String> ambiguous = new HashSet<>();
    for (Shape.Named shape : named.values()) {
      String simple = shape.toString();
      if (!taken.add(simple) || simple.equals("List") || BasicShape.called(simple) != null) {
        ambiguous.add(simple);
      }
    }
    for (Shape.Named shape : named.values()) {
      String full = qualified(shape.type());
      Shape.Named other = qualified.put(full, shape);
      if (ambiguous.contains(shape.toString())) {
        if (other != null || !full.contains(".")) {
          throw refused("", full + " has the name of another type: rename one");
        }
        shape.qualify(full);
      }
    }
  }

  /** The canonical name, which classes within methods have too. */
  private static String qualified(Class<?> type) {
    StringBuilder name = new StringBuilder(type.getSimpleName());
    for (Class<?> outer = type.getEnclosingClass();
        outer != null;
        outer = outer.getEnclosingClass()) {
      name.insert(0, outer.getSimpleName() + ".");
    }
    return type.getPackageName().isEmpty() ? name.toString() : type.getPackageName() + "." + name;
  }

  private Shape shape(Type generic, String where) {
    if (generic instanceof ParameterizedType parameterized
        && parameterized.getRawType() instanceof Class<?> raw) {
      // Another type than a List with a parameter: the parameter is refused where a component is of
      // it. One that is only a tag does no harm.
      return raw == List.class
          ? list(parameterized.getActualTypeArguments()[0], where)
          : shape(raw, generic, where);
    } else if (generic == List.class) {
      throw refused(where, "a List of what is not said: write List<String>, for example");
    } else if (generic instanceof Class<?> plain) {
      return shape(plain, generic, where);
    }
    throw unsupported(generic, where);
  }

  private Shape list(Type element, String where) {
    Shape.OfList list = new Shape.OfList(shape(element, where));
    int lists = 0;
    for (Shape shape = list; shape instanceof Shape.OfList next; shape = next.element()) {
      lists++;
    }
    if (lists > Schema.MAX_LISTS) {
      throw refused(where, "lists of lists go deeper than " + Schema.MAX_LISTS);
    }
    return list;
  }

  private Shape shape(Class<?> plain, Type told, String where) {
    BasicShape basic = BasicShape.of(plain);
    if (basic != null) {
      return basic;
    }
    Shape.Named known = named.get(plain);
    if (known != null) {
      return known;
    }
    if (plain.isRecord()) {
      return record(plain, where);
    } else if (plain.isEnum()) {
      return constants(plain, where);
    } else if (plain.isInterface() && plain.isSealed()) {
      return sealed(plain, where);
    }
    throw unsupported(told, where);
  }

  private Shape.OfRecord record(Class<?> plain, String where) {
    Shape.OfRecord shape = new Shape.OfRecord(plain);
    checkWord(plain.getSimpleName(), where);
    named.put(plain, shape);
    Lookup lookup = lookup(plain);
    List<Component> components = new ArrayList<>();
    for (RecordComponent component : plain.getRecordComponents()) {
      String field = plain.getSimpleName() + "." + component.getName();
      checkWord(component.getName(), field);
      Shape of = shape(component.getGenericType(), field);
      try {
        components.add(Component.of(lookup, component, of));
      } catch (IllegalAccessException e) {
        throw new IllegalArgumentException(message(field, "its accessor cannot be called"), e);
      }
    }
    shape.complete(components, constructor(lookup, plain));
    return shape;
  }

  private static MethodHandle constructor(Lookup lookup, Class<?> plain) {
    Class<?>[] types =
        Arrays.stream(plain.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      return lookup
          .findConstructor(plain, MethodType.methodType(void.class, types))
          .asFixedArity()
          .asSpreader(Object[].class, types.length)
          .asType(MethodType.methodType(Object.class, Object[].class));
    } catch (NoSuchMethodException | IllegalAccessException e) {
      throw new IllegalArgumentException(plain.getName() + " has no canonical constructor", e);
    }
  }

  private Lookup lookup(Class<?> plain) {
    try {
      return MethodHandles.privateLookupIn(plain, MethodHandles.lookup());
    } catch (IllegalAccessException e) {
      throw new IllegalArgumentException(
          message(
              plain.getSimpleName(),
              "the module "
                  + plain.getModule().getName()
                  + " does not open the package of this record: put \"opens "
                  + plain.getPackageName()
                  + ";\" into its module-info.java"),
          e);
    }
  }

  private Shape.OfEnum constants(Class<?> plain, String where) {
    Shape.OfEnum shape = new Shape.OfEnum(plain);
    checkWord(plain.getSimpleName(), where);
    for (Object constant : plain.getEnumConstants()) {
      checkWord(((Enum<?>) constant).name(), plain.getSimpleName());
    }
    named.put(plain, shape);
    return shape;
  }

  private Shape.OfSealed sealed(Class<?> plain, String where) {
    Shape.OfSealed shape = new Shape.OfSealed(plain);
    checkWord(plain.getSimpleName(), where);
    named.put(plain, shape);
    Set<Class<?>> variants = new LinkedHashSet<>();
    variants(plain, variants);
    List<Shape.Named> shapes = new ArrayList<>();
    for (Class<?> variant : variants) {
      if (!variant.isRecord() && !variant.isEnum()) {
        throw refused(
            plain.getSimpleName(),
            "its variant " + variant.getName() + " is neither a record nor an enum: make it one");
      }
      shapes.add((Shape.Named) shape(variant, variant, plain.getSimpleName()));
    }
    shape.complete(List.copyOf(shapes));
    return shape;
  }

  /** What a sealed interface permits; in place of a further one, what that permits. */
  private static void variants(Class<?> plain, Set<Class<?>> found) {
    for (Class<?> permitted : plain.getPermittedSubclasses()) {
      if (permitted.isInterface() && permitted.isSealed()) {
        variants(permitted, found);
      } else {
        found.add(permitted);
      }
    }
  }

  private void checkWord(String name, String where) {
    if (!Schema.isWord(name)) {
      throw refused(where, "\"" + name + "\" is not a name of Java's: rename it");
    }
  }

  private IllegalArgumentException unsupported(Type generic, String where) {
    return refused(where, told(generic) + " is not covered: " + instead(generic));
  }

  private static String told(Type generic) {
    return (generic instanceof TypeVariable<?> ? "the type variable " : "") + generic.getTypeName();
  }

  private static String instead(Type generic) {
    Class<?> raw =
        generic instanceof Class<?> plain
            ? plain
            : generic instanceof ParameterizedType parameterized
                    && parameterized.getRawType() instanceof Class<?> plain
                ? plain
                : null;
    if (raw == null) {
      return generic instanceof TypeVariable<?> || generic instanceof WildcardType
          ? "name the type itself"
          : generic instanceof GenericArrayType ? "use a List" : "use a record";
    } else if (raw.isArray()) {
      return "use a List";
    } else if (Map.class.isAssignableFrom(raw)) {
      return "use a List of records with a key and a value";
    } else if (Collection.class.isAssignableFrom(raw) || raw == Iterable.class) {
      return "use a List";
    } else if (raw == Optional.class) {
      return "use the type itself, which may be null";
    } else if (raw == java.util.Date.class
        || java.time.temporal.TemporalAccessor.class.isAssignableFrom(raw)) {
      return "use an Instant, a LocalDate or a String";
    } else if (raw.isInterface() || java.lang.reflect.Modifier.isAbstract(raw.getModifiers())) {
      return "use a record, or a sealed interface of records";
    }
    return "use a record";
  }

  private IllegalArgumentException refused(String where, String what) {
    return new IllegalArgumentException(message(where, what));
  }

  private String message(String where, String what) {
    return "no default codec for "
        + type.getName()
        + ": "
        + (where.isEmpty() ? "" : where + ": ")
        + what
        + ". Covered are records, sealed interfaces of records and enums, enums, "
        + BasicShape.names()
        + ", and within records List of these. For anything else there is Codec.of(schema, encode,"
        + " decode)";
  }
}
