package dev.oncefold.pipeline;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes more events of a sample: each of its records is copied under other keys and ids, so that
 * the copies are judged as the sample is. They stand between its records and, under earlier times,
 * before them: later ones might be ahead of the clock.
 */
final class Copies {
  private static final int TIMES = 4;

  private final RecordWriter writer;
  private final Fold.Ids remembered;
  // The plain fields that make a copy a new event, and the one that has its time.
  private final Set<String> renamed = new TreeSet<>();
  private final @Nullable String time;
  private final @Nullable TimePattern pattern;
  private final boolean possible;

  Copies(Pipeline pipeline) {
    Mapping mapping = pipeline.mapping();
    Insight insight = pipeline.insight();
    this.writer = insight.writer();
    this.remembered = pipeline.fold().ids();
    List<Expression> keys = insight.keys().isEmpty() ? List.of(mapping.key()) : insight.keys();
    List<String> keyFields = keys.stream().map(Copies::plain).filter(Objects::nonNull).toList();
    boolean allKeys = keyFields.size() == keys.size();
    String id = mapping.id() == null ? null : plain(mapping.id());
    if (allKeys) {
      renamed.addAll(keyFields);
    }
    if (id != null) {
      renamed.add(id);
    }
    this.possible =
        mapping.id() == null || remembered.kind() == Fold.Ids.Kind.NONE || !renamed.isEmpty();
    Variables.Variable direct = mapping.time() == null ? null : mapping.time().direct();
    this.time = direct == null || renamed.contains(field(direct)) ? null : field(direct);
    this.pattern = mapping.pattern();
  }

  private static @Nullable String plain(Expression expression) {
    Variables.Variable direct = expression.direct();
    return direct == null || direct.type().kind() != FieldType.Kind.STRING ? null : field(direct);
  }

  private static String field(Variables.Variable variable) {
    return variable.name().substring("event.".length());
  }

  /** Whether a copy of a record is a new event. */
  boolean possible() {
    return possible;
  }

  /** A record of the sample; without an event where none can be made of it. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Original(byte[] bytes, @Nullable Event<Row> event) {}

  /** The sample and copies of it, so that there are as many as are wanted. */
  List<byte[]> of(List<Original> sample, int wanted) {
    int copies = (wanted + sample.size() - 1) / sample.size();
    boolean spread = time != null && remembered.kind() == Fold.Ids.Kind.SPAN && copies >= TIMES;
    int times = spread ? TIMES : 1;
    Duration apart = apart(sample);
    List<byte[]> all = new ArrayList<>(wanted);
    for (int back = times - 1; back >= 0; back--) {
      for (int i = 0; i < sample.size(); i++) {
        for (int copy = back; copy < copies; copy += times) {
          if ((long) copy * sample.size() + i < wanted) {
            all.add(copy(sample.get(i), copy, apart.multipliedBy(back)));
          }
        }
      }
    }
    return all;
  }

  /** How far one round is before the next, in whole days: longer than ids are remembered. */
  private Duration apart(List<Original> sample) {
    Instant first = Instant.MAX;
    Instant last = Instant.MIN;
    for (Original record : sample) {
      Instant at = record.event() == null ? null : record.event().time();
      if (at != null) {
        first = at.isBefore(first) ? at : first;
        last = at.isAfter(last) ? at : last;
      }
    }
    Duration length = last.isBefore(first) ? Duration.ZERO : Duration.between(first, last);
    Duration span = remembered.span().multipliedBy(5).dividedBy(4);
    return Duration.ofDays((length.compareTo(span) > 0 ? length : span).toDays() + 1);
  }

  private byte[] copy(Original record, int copy, Duration earlier) {
    Event<Row> event = record.event();
    if (copy == 0 || event == null) {
      return record.bytes();
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (String field : renamed) {
      values.put(field, renamed(String.valueOf(event.value().get(field)), copy));
    }
    Instant at = event.time();
    if (time != null && at != null && !earlier.isZero()) {
      Instant then = at.minus(earlier);
      values.put(time, pattern == null ? then : pattern.format(then));
    }
    return values.isEmpty() ? record.bytes() : writer.with(record.bytes(), values);
  }

  /** Digits stay digits: rules may look at them. */
  private static String renamed(String name, int copy) {
    return name.matches("[0-9]+")
        ? name + String.format(java.util.Locale.ROOT, "%05d", copy)
        : name + "~" + copy;
  }
}
