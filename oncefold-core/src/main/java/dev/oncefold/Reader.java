package dev.oncefold;

import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads values of one type from bytes that were written under some schema. There is no other way to
 * read: the schema of the day goes through the same {@link Resolution} as an old one.
 */
interface Reader {
  /** Reads a value that is not null. */
  Object read(Decoder in, int depth);

  /** Reads a value or null, the counterpart of {@link Shape#writeNullable}. */
  default @Nullable Object readNullable(Decoder in, int depth) {
    return in.readBoolean() ? read(in, depth) : null;
  }

  /**
   * Finds out how to read values of the current types from bytes under a written schema.
   *
   * @param written the schema of the bytes
   * @param shapes the current types
   * @param defaults gives the fields that were added, or null
   * @throws CodecException if something that is stored would be lost, or cannot be made
   */
  static Reader resolve(Schema written, Shapes shapes, @Nullable Object defaults) {
    return new Resolution(written, shapes).type(written.root(), shapes.root(), defaults, 0);
  }

  /** One run of {@link Reader#resolve}. */
  final class Resolution {
    /**
     * Types nested deeper than this would make values that are too deep, sealed interfaces in
     * between included. It keeps a schema of many types, each in the next, from overflowing the
     * stack.
     */
    private static final int MAX_TYPES = 4 * Shape.MAX_DEPTH;

    private final Schema written;
    private final Shapes shapes;
    private final Map<Pair, Reader> readers = new HashMap<>();

    private Resolution(Schema written, Shapes shapes) {
      this.written = written;
      this.shapes = shapes;
    }

    /** What a reader was made for. Types that contain themselves find theirs by it. */
    private record Pair(String written, Shape current, @Nullable Object defaults) {
      @Override
      public boolean equals(@Nullable Object other) {
        return other instanceof Pair pair
            && pair.written.equals(written)
            && pair.current == current
            && pair.defaults == defaults;
      }

      @Override
      public int hashCode() {
        return 31 * written.hashCode() + System.identityHashCode(current);
      }
    }

    private Reader type(Schema.Type type, Shape current, @Nullable Object defaults, int depth) {
      if (type instanceof Schema.Basic basic && current instanceof BasicShape target) {
        Reader reader = basic.shape().readAs(target);
        if (reader != null) {
          return reader;
        }
      } else if (type instanceof Schema.Listed list && current instanceof Shape.OfList target) {
        try {
          return new ListReader(type(list.element(), target.element(), null, depth));
        } catch (CodecException e) {
          throw e.at("[]");
        }
      } else if (type instanceof Schema.Named named && current instanceof Shape.Named target) {
        Reader reader = named(named.name(), target, defaults, depth);
        if (reader != null) {
          return reader;
        }
      }
      throw new CodecException(
          "was stored as " + told(type) + " and is " + current.told() + " now");
    }

    private @Nullable Reader named(
        String name, Shape.Named current, @Nullable Object defaults, int depth) {
      if (!shapes.isCalled(current, name)) {
        return null;
      }
      Pair pair = new Pair(name, current, defaults);
      Reader known = readers.get(pair);
      if (known != null) {
        return known;
      }
      if (depth > MAX_TYPES) {
        throw new CodecException("types are nested deeper than " + MAX_TYPES);
      }
      Schema.Definition definition = written.definitions().get(name);
      if (definition instanceof Schema.Fields fields && current instanceof Shape.OfRecord target) {
        RecordReader reader = new RecordReader(target, fields.types().size());
        readers.put(pair, reader);
        fill(reader, fields, target, defaults, depth);
        return reader;
      }
      if (definition instanceof Schema.Variants variants
          && current instanceof Shape.OfSealed target) {
        SealedReader reader = new SealedReader(variants.names());
        readers.put(pair, reader);
        fill(reader, variants, target, defaults, depth);
        return reader;
      }
      if (definition instanceof Schema.Constants constants
          && current instanceof Shape.OfEnum target) {
        Reader reader = constants(constants, target);
        readers.put(pair, reader);
        return reader;
      }
      return null;
    }

    private void fill(
        RecordReader reader,
        Schema.Fields fields,
        Shape.OfRecord current,
        @Nullable Object defaults,
        int depth) {
      int i = 0;
      for (Map.Entry<String, Schema.Type> field : fields.types().entrySet()) {
        String name = field.getKey();
        int target = current.indexOf(name);
        if (target < 0) {
          throw new CodecException(
              "field "
                  + name
                  + " ("
                  + field.getValue()
                  + ") was stored and is not in "
                  + current
                  + " any more; what is stored would be lost");
        }
        Component component = current.component(target);
        Object nested = defaults == null ? null : component.get(defaults);
        try {
          reader.readers[i] = type(field.getValue(), component.shape(), nested, depth + 1);
        } catch (CodecException e) {
          throw e.at("." + name);
        }
        reader.nullable[i] = !isPrimitive(field.getValue());
        reader.targets[i++] = target;
      }
      for (int target = 0; target < current.size(); target++) {
        Component component = current.component(target);
        if (!fields.types().containsKey(component.name())) {
          reader.template[target] = added(component, defaults);
        }
      }
    }

    private static @Nullable Object added(Component component, @Nullable Object defaults) {
      if (defaults != null) {
        return component.get(defaults);
      }
      if (component.mayBeNull()) {
        return null;
      }
      throw new CodecException(
              "was not stored, and there is no value to take it from: give one for all (the"
                  + " initial state of a fold), or let it be null, a "
                  + component.shape().told()
                  + " annotated @Nullable")
          .at("." + component.name());
    }

    private void fill(
        SealedReader reader,
        Schema.Variants variants,
        Shape.OfSealed current,
        @Nullable Object defaults,
        int depth) {
      Map<Shape.Named, String> taken = new HashMap<>();
      for (int i = 0; i < reader.variants.length; i++) {
        String name = variants.names().get(i);
        Shape.Named target = null;
        for (Shape.Named variant : current.variants()) {
          if (shapes.isCalled(variant, name)) {
            if (target != null) {
              throw new CodecException(
                  "variant " + name + " was stored and may be " + target + " or " + variant);
            }
            target = variant;
          }
        }
        if (target == null || taken.putIfAbsent(target, name) != null) {
          throw new CodecException(
              "variant "
                  + name
                  + " was stored and is not in "
                  + current
                  + " any more; what is stored would be lost");
        }
        Object nested = defaults != null && target.type().isInstance(defaults) ? defaults : null;
        try {
          reader.variants[i] = type(new Schema.Named(name), target, nested, depth + 1);
        } catch (CodecException e) {
          throw e.at("(" + Schema.simple(name) + ")");
        }
      }
    }

    private static Reader constants(Schema.Constants constants, Shape.OfEnum current) {
      Object[] values = new Object[constants.names().size()];
      for (int i = 0; i < values.length; i++) {
        String name = constants.names().get(i);
        Object value = current.constant(name);
        if (value == null) {
          throw new CodecException(
              "constant "
                  + name
                  + " was stored and is not in "
                  + current
                  + " any more; what is stored would be lost");
        }
        values[i] = value;
      }
      return new EnumReader(values);
    }

    private String told(Schema.Type type) {
      if (type instanceof Schema.Named named) {
        Schema.Definition definition = written.definitions().get(named.name());
        return definition instanceof Schema.Fields
            ? "record " + type
            : definition instanceof Schema.Variants ? "sealed " + type : "enum " + type;
      }
      return type.toString();
    }

    private static boolean isPrimitive(Schema.Type type) {
      return type instanceof Schema.Basic basic && basic.shape().isPrimitive();
    }
  }

  /** Reads records. Its arrays are filled after others may have come to refer to it. */
  final class RecordReader implements Reader {
    private final Shape.OfRecord record;
    private final Reader[] readers;
    private final boolean[] nullable;
    private final int[] targets;
    private final @Nullable Object[] template;

    RecordReader(Shape.OfRecord record, int fields) {
      this.record = record;
      this.readers = new Reader[fields];
      this.nullable = new boolean[fields];
      this.targets = new int[fields];
      this.template = new @Nullable Object[record.size()];
    }

    @Override
    public Object read(Decoder in, int depth) {
      Shape.checkDepth(depth);
      @Nullable Object[] values = template.clone();
      int i = 0;
      try {
        for (; i < readers.length; i++) {
          Reader reader = readers[i];
          values[targets[i]] =
              nullable[i] ? reader.readNullable(in, depth + 1) : reader.read(in, depth + 1);
        }
      } catch (CodecException e) {
        throw e.at("." + record.component(targets[i]).name());
      }
      return record.make(values);
    }
  }

  /** Reads values of sealed interfaces. */
  final class SealedReader implements Reader {
    private final List<String> names;
    private final Reader[] variants;

    SealedReader(List<String> names) {
      this.names = names;
      this.variants = new Reader[names.size()];
    }

    @Override
    public Object read(Decoder in, int depth) {
      return read(in, in.readUnsigned(), depth);
    }

    @Override
    public @Nullable Object readNullable(Decoder in, int depth) {
      long n = in.readUnsigned();
      return n == 0 ? null : read(in, n - 1, depth);
    }

    private Object read(Decoder in, long index, int depth) {
      if (index < 0 || index >= variants.length) {
        throw in.malformed("there is no variant " + Long.toUnsignedString(index));
      }
      try {
        return variants[(int) index].read(in, depth);
      } catch (CodecException e) {
        throw e.at("(" + Schema.simple(names.get((int) index)) + ")");
      }
    }
  }

  /** Reads constants of enums. */
  final class EnumReader implements Reader {
    private final Object[] constants;

    EnumReader(Object[] constants) {
      this.constants = constants;
    }

    @Override
    public Object read(Decoder in, int depth) {
      return constant(in, in.readUnsigned());
    }

    @Override
    public @Nullable Object readNullable(Decoder in, int depth) {
      long n = in.readUnsigned();
      return n == 0 ? null : constant(in, n - 1);
    }

    private Object constant(Decoder in, long index) {
      if (index < 0 || index >= constants.length) {
        throw in.malformed("there is no constant " + Long.toUnsignedString(index));
      }
      return constants[(int) index];
    }
  }

  /** Reads lists. */
  record ListReader(Reader element) implements Reader {
    @Override
    public Object read(Decoder in, int depth) {
      return list(in, in.readUnsigned(), depth);
    }

    @Override
    public @Nullable Object readNullable(Decoder in, int depth) {
      long n = in.readUnsigned();
      return n == 0 ? null : list(in, n - 1, depth);
    }

    private Object list(Decoder in, long count, int depth) {
      int size = in.checkCount(count);
      Shape.checkDepth(depth);
      // Grows with what was read, not with what was promised: lists of lists could promise the
      // bytes that are left again and again.
      @Nullable Object[] values = new @Nullable Object[Math.min(size, 16)];
      for (int i = 0; i < size; i++) {
        if (i == values.length) {
          values = Arrays.copyOf(values, (int) Math.min(size, 2L * i));
        }
        try {
          values[i] = element.readNullable(in, depth + 1);
        } catch (CodecException e) {
          throw e.at("[" + i + "]");
        }
      }
      return Collections.unmodifiableList(Arrays.asList(values));
    }
  }
}
