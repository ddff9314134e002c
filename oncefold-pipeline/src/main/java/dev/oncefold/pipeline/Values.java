package dev.oncefold.pipeline;

import dev.oncefold.FailureException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Values for one field that is neither id, key nor time. What expressions compare it with comes
 * often, and so does what is just below and above, so that both sides of a rule are met.
 */
final class Values {
  private static final List<String> WORDS =
      List.of(
          "alpha",
          "beta",
          "gamma",
          "two words",
          "a \"quoted\" word",
          "this; that, and more",
          "tab\tand more",
          "line\nand more",
          "back\\slash",
          "Größe",
          "žluťoučký",
          "東京 🎂");

  private final FieldType type;
  // How the text of a string is read on; the type itself otherwise.
  private final FieldType read;
  private final @Nullable TimePattern pattern;
  private final List<Object> literals = new ArrayList<>();
  private final List<String> words;

  /**
   * The values of a field.
   *
   * @param hints what expressions tell of it
   * @param writer tells what texts can be written
   */
  Values(FieldType type, List<Hint> hints, RecordWriter writer) {
    this.type = type;
    Hint reading = hints.stream().filter(hint -> hint.type() != null).findFirst().orElse(null);
    FieldType readAs = reading == null ? null : reading.type();
    this.read = readAs == null ? type : readAs;
    this.pattern = reading == null ? null : reading.pattern();
    for (Hint hint : hints) {
      Object literal = hint.literal() == null ? null : fitting(String.valueOf(hint.literal()));
      if (literal != null && !literals.contains(literal) && writer.takes(literal.toString())) {
        literals.add(literal);
      }
    }
    this.words = WORDS.stream().filter(writer::takes).toList();
  }

  private @Nullable Object fitting(String literal) {
    try {
      return read.fromText(literal);
    } catch (FailureException e) {
      return null; // compared with something that was made of it
    }
  }

  /**
   * The next value.
   *
   * @param now the time of the event
   * @return the value; null for one that is missing
   */
  @Nullable Object next(SplittableRandom random, Instant now) {
    if (type.optional() && random.nextInt(10) == 0) {
      return null;
    }
    Object value =
        switch (read.kind()) {
          case STRING -> word(random);
          case BOOL -> random.nextBoolean();
          case INT -> integer(random);
          case DOUBLE -> Math.rint(number(random, 50) * 10) / 10;
          case DECIMAL -> decimal(random);
          case TIME -> now.minusSeconds(random.nextInt(3600));
        };
    if (type.kind() != FieldType.Kind.STRING || read.kind() == FieldType.Kind.STRING) {
      return value;
    }
    return pattern != null && value instanceof Instant time
        ? pattern.format(time)
        : value instanceof BigDecimal decimal ? decimal.toPlainString() : value.toString();
  }

  /** Each literal as often as something else. */
  private String word(SplittableRandom random) {
    int which = random.nextInt(literals.size() + 1);
    return which < literals.size()
        ? literals.get(which).toString()
        : words.get(random.nextInt(words.size()));
  }

  private Long integer(SplittableRandom random) {
    if (!literals.isEmpty() && random.nextInt(4) == 0) {
      long literal = (Long) literals.get(random.nextInt(literals.size()));
      return literal + random.nextInt(3) - 1;
    }
    return (long) number(random, 1000);
  }

  /** From nothing to twice the greatest literal, so that either side of it comes; or to a bound. */
  private double number(SplittableRandom random, double otherwise) {
    double bound = 0;
    for (Object literal : literals) {
      double value = ((Number) literal).doubleValue();
      bound = Math.abs(value) > Math.abs(bound) ? value : bound;
    }
    return random.nextDouble() * (bound == 0 ? otherwise : 2 * bound);
  }

  /** From the least there is to a thousand, small ones as often as large ones. */
  private BigDecimal decimal(SplittableRandom random) {
    BigDecimal least = BigDecimal.valueOf(1, read.scale());
    if (!literals.isEmpty() && random.nextInt(10) == 0) {
      BigDecimal literal = (BigDecimal) literals.get(random.nextInt(literals.size()));
      return literal.add(least.multiply(BigDecimal.valueOf(random.nextInt(3) - 1L)));
    }
    double most = 2 * Math.max(500, number(random, 0) / 2);
    BigDecimal value = BigDecimal.valueOf(Math.pow(most, random.nextDouble()));
    return value.setScale(read.scale(), java.math.RoundingMode.DOWN).max(least);
  }
}
