package dev.oncefold.postgres;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.cfg.MapperConfig;
import com.fasterxml.jackson.databind.deser.std.FromStringDeserializer;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedClass;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import dev.oncefold.CodecException;
import dev.oncefold.Row;
import java.io.IOException;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The values of one type as JSON that {@code jsonb} gives back equal: records by their components,
 * lists, and sealed interfaces as {@code {"Variant": …}}.
 */
final class Json {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .annotationIntrospector(new Sealed())
          .addModule(module())
          .visibility(PropertyAccessor.ALL, JsonAutoDetect.Visibility.NONE)
          .visibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY)
          .visibility(PropertyAccessor.CREATOR, JsonAutoDetect.Visibility.ANY)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final ObjectWriter writer;
  private final ObjectReader reader;

  Json(Type type) {
    JavaType java = MAPPER.constructType(type);
    this.writer = MAPPER.writerFor(java);
    this.reader = MAPPER.readerFor(java);
  }

  String text(Object value) {
    try {
      return writer.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw told(e);
    }
  }

  Object value(String text) {
    try {
      Object value = reader.readValue(text);
      if (value == null) {
        throw new CodecException("it holds null");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw told(e);
    }
  }

  private static CodecException told(JsonProcessingException e) {
    return e.getCause() instanceof CodecException cause
        ? cause
        : new CodecException("it is no JSON of its type: " + e.getOriginalMessage(), e);
  }

  /** Any value, for eyes only. */
  static @Nullable String shown(@Nullable Object value) {
    if (value == null) {
      return null;
    }
    try {
      return Text.shown(MAPPER.writeValueAsString(value));
    } catch (JsonProcessingException | RuntimeException e) {
      return Text.shown(String.valueOf(value));
    }
  }

  private static SimpleModule module() {
    SimpleModule module = new SimpleModule("oncefold");
    module.addSerializer(String.class, writing(String.class, Json::write));
    for (Class<?> type : List.of(Instant.class, LocalDate.class, Duration.class)) {
      module.addSerializer(type, ToStringSerializer.instance);
    }
    module.addDeserializer(Instant.class, parsing(Instant.class, Instant::parse));
    module.addDeserializer(LocalDate.class, parsing(LocalDate.class, LocalDate::parse));
    module.addDeserializer(Duration.class, parsing(Duration.class, Duration::parse));
    module.addSerializer(
        BigDecimal.class, writing(BigDecimal.class, (n, out) -> out.writeNumber(Form.checked(n))));
    module.addSerializer(Character.class, writing(Character.class, Json::write));
    module.addSerializer(char.class, writing(Character.class, Json::write));
    module.addSerializer(Double.class, writing(Double.class, Json::write));
    module.addSerializer(double.class, writing(Double.class, Json::write));
    module.addSerializer(Float.class, writing(Float.class, Json::write));
    module.addSerializer(float.class, writing(Float.class, Json::write));
    module.addSerializer(Row.class, writing(Row.class, (row, out) -> out.writePOJO(fields(row))));
    return module;
  }

  private static Map<String, @Nullable Object> fields(Row row) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    row.type().columns().forEach(column -> fields.put(column.name(), row.get(column.name())));
    return fields;
  }

  private static void write(Object text, JsonGenerator out) throws IOException {
    if (text instanceof Float f) {
      // As text where JSON, or numeric, which jsonb keeps numbers in, has no such number.
      if (f.isNaN() || f.isInfinite() || f.equals(-0f)) {
        out.writeString(f.toString());
      } else {
        out.writeNumber(f);
      }
    } else if (text instanceof Double d) {
      if (d.isNaN() || d.isInfinite() || d.equals(-0d)) {
        out.writeString(d.toString());
      } else {
        out.writeNumber(d);
      }
    } else {
      out.writeString(Text.checked("the text", text.toString()));
    }
  }

  private interface Writing<T> {
    void write(T value, JsonGenerator out) throws IOException;
  }

  private static <T> StdSerializer<T> writing(Class<T> type, Writing<? super T> writing) {
    return new StdSerializer<>(type) {
      private static final long serialVersionUID = 1;

      @Override
      public void serialize(T value, JsonGenerator out, SerializerProvider provider)
          throws IOException {
        try {
          writing.write(value, out);
        } catch (CodecException e) {
          throw JsonMappingException.from(out, e.getMessage(), e);
        }
      }
    };
  }

  private static <T> FromStringDeserializer<T> parsing(Class<T> type, Function<String, T> parse) {
    return new FromStringDeserializer<>(type) {
      private static final long serialVersionUID = 1;

      @Override
      protected T _deserialize(String text, DeserializationContext context) {
        return parse.apply(text);
      }
    };
  }

  /** Tells the variants of a sealed interface by their simple names, without annotations. */
  private static final class Sealed extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1;

    @Override
    public JsonTypeInfo.@Nullable Value findPolymorphicTypeInfo(
        MapperConfig<?> config, Annotated annotated) {
      return isSealed(annotated)
          ? JsonTypeInfo.Value.construct(
              JsonTypeInfo.Id.NAME, JsonTypeInfo.As.WRAPPER_OBJECT, null, null, false, true, null)
          : super.findPolymorphicTypeInfo(config, annotated);
    }

    @Override
    public @Nullable List<NamedType> findSubtypes(Annotated annotated) {
      if (!isSealed(annotated)) {
        return super.findSubtypes(annotated);
      }
      List<NamedType> variants = new ArrayList<>();
      collect(annotated.getRawType(), variants);
      return variants;
    }

    private static void collect(Class<?> type, List<NamedType> variants) {
      for (Class<?> variant : type.getPermittedSubclasses()) {
        if (variant.isSealed() && variant.isInterface()) {
          collect(variant, variants);
        } else {
          variants.add(new NamedType(variant, variant.getSimpleName()));
        }
      }
    }

    private static boolean isSealed(Annotated annotated) {
      return annotated instanceof AnnotatedClass
          && annotated.getRawType().isSealed()
          && annotated.getRawType().isInterface();
    }
  }
}
