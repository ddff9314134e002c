package dev.oncefold.pipeline;

import dev.oncefold.FailureException;
import dev.oncefold.Fold;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes records from the types and the expressions of a pipeline alone. Deterministic: the same
 * seed makes the same records, on every machine and at any time.
 */
final class Generator {
  /** When the last event happens; earlier where the pattern of times ends earlier. */
  private static final List<Instant> ENDS =
      List.of(
          Instant.parse("2025-12-31T00:00:00Z"),
          Instant.parse("2010-12-31T00:00:00Z"),
          Instant.parse("1990-12-31T00:00:00Z"));

  private static final Duration MOST = Duration.ofDays(30 * 365);

  private final Mapping mapping;
  private final RecordWriter writer;
  private final Map<String, FieldType> types;
  private final Map<String, Values> values = new HashMap<>();
  private final Set<String> ids;
  private final Set<String> keys;
  private final Set<String> times;
  private final SplittableRandom random;
  private final int pool;
  private final Instant start;
  private final long millis;
  private final long events;
  private long made;

  /**
   * A generator.
   *
   * @param events how many are wanted: their times go evenly over four spans of remembered ids
   */
  Generator(Pipeline pipeline, long events, SplittableRandom random) {
    Insight insight = pipeline.insight();
    this.mapping = pipeline.mapping();
    this.writer = insight.writer();
    this.types = insight.fields().types();
    this.random = random;
    this.events = events;
    this.pool = (int) Math.max(2, Math.min(1 << 20, events / 4));
    this.ids = fields(Stream.ofNullable(mapping.id()));
    this.keys = fields(Stream.concat(Stream.of(mapping.key()), insight.keys().stream()));
    this.times = fields(Stream.ofNullable(mapping.time()));
    Stream<Expression> all =
        Stream.of(
                Stream.ofNullable(mapping.id()),
                Stream.of(mapping.key()),
                insight.keys().stream(),
                Stream.ofNullable(mapping.time()),
                insight.expressions().stream())
            .flatMap(each -> each);
    Map<String, List<Hint>> hints =
        all.flatMap(expression -> expression.hints().stream())
            .collect(Collectors.groupingBy(hint -> hint.variable().name()));
    types.forEach(
        (field, type) ->
            values.put(
                field, new Values(type, hints.getOrDefault("event." + field, List.of()), writer)));
    Fold.Ids remembered = pipeline.fold().ids();
    Duration span =
        remembered.kind() == Fold.Ids.Kind.SPAN ? remembered.span() : Duration.ofDays(7);
    Duration all4 = span.compareTo(MOST.dividedBy(4)) > 0 ? MOST : span.multipliedBy(4);
    this.millis = all4.toMillis();
    this.start = end().minus(all4);
  }

  private static Set<String> fields(Stream<Expression> expressions) {
    return expressions
        .flatMap(expression -> expression.uses().stream())
        .map(Variables.Variable::name)
        .filter(name -> name.startsWith("event."))
        .map(name -> name.substring("event.".length()))
        .collect(Collectors.toSet());
  }

  private Instant end() {
    TimePattern pattern = mapping.pattern();
    for (Instant end : ENDS) {
      try {
        if (pattern == null
            || Duration.between(pattern.parse(pattern.format(end)), end).abs().toDays() < 2) {
          return end;
        }
      } catch (FailureException e) {
        // of a year that two digits cannot mean here
      }
    }
    return ENDS.get(0);
  }

  /** The fields that the id, the keys and the time of an event are made of. */
  Set<String> ofWhatEventsAreKnownBy() {
    return Stream.of(ids, keys, times).flatMap(Set::stream).collect(Collectors.toSet());
  }

  /** The next record. */
  byte[] next() {
    long jitter = Math.max(1, Math.min(millis / events * 10, millis / 64));
    long at = (long) ((double) millis * made / events) - random.nextLong(jitter);
    Instant now = start.plusMillis(Math.min(at, millis));
    made++;
    Map<String, @Nullable Object> record = new LinkedHashMap<>();
    for (Map.Entry<String, FieldType> field : types.entrySet()) {
      record.put(field.getKey(), value(field.getKey(), field.getValue(), now));
    }
    return writer.with(null, record);
  }

  private @Nullable Object value(String field, FieldType type, Instant now) {
    if (times.contains(field)) {
      return switch (type.kind()) {
        case TIME -> now;
        case INT -> isMillis() ? now.toEpochMilli() : now.getEpochSecond();
        case STRING ->
            mapping.pattern() == null ? other(field, now) : mapping.pattern().format(now);
        default -> other(field, now);
      };
    } else if (ids.contains(field)) {
      return switch (type.kind()) {
        case STRING -> "e" + made;
        case INT -> made;
        default -> other(field, now);
      };
    } else if (keys.contains(field)) {
      return switch (type.kind()) {
        case STRING -> key(field, now);
        case INT -> (long) place();
        default -> other(field, now);
      };
    }
    return other(field, now);
  }

  private boolean isMillis() {
    return mapping.time() != null && mapping.time().text().contains("timeOfMillis");
  }

  /** Mostly one of the pool; at times a name that the rules know. */
  private Object key(String field, Instant now) {
    Object known = random.nextInt(50) == 0 ? other(field, now) : null;
    return known == null || known.equals("") ? "k" + place() : known;
  }

  /** Half of the events go to a few hot keys, the others anywhere. */
  private int place() {
    return random.nextBoolean()
        ? random.nextInt(pool)
        : (int) Math.min(pool - 1, Math.pow(pool, random.nextDouble()) - 1);
  }

  private @Nullable Object other(String field, Instant now) {
    Values known = values.get(field);
    return known == null ? null : known.next(random, now);
  }

  /**
   * Other values for a field of a record.
   *
   * @return values that a record may have there, the likelier first; none twice
   */
  List<@Nullable Object> others(String field, @Nullable Object value, SplittableRandom by) {
    List<@Nullable Object> others = new ArrayList<>();
    Values known = values.get(field);
    for (int i = 0; i < 8 && known != null; i++) {
      Object other = known.next(by, start);
      if (other != null && !other.equals(value) && !others.contains(other)) {
        others.add(other);
      }
    }
    return others;
  }
}
