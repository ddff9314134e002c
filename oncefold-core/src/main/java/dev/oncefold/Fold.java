package dev.oncefold;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A named, versioned {@link Update} with its initial state, its codecs, and how long ids are
 * remembered. Immutable and safe to share between threads.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class Fold<S, E, O> {
  /** What a source's run does with an event that {@link Verdict.Failed}. */
  public enum WhenFailed {
    /** Stops before the event, with an error that names it. */
    STOP,
    /** Sends it to the refusals and goes on. */
    REFUSE
  }

  private final String name;
  private final int version;
  private final String rules;
  private final S initial;
  private final Ids ids;
  private final WhenFailed whenFailed;
  private final Codec<S> stateCodec;
  private final Codec<E> eventCodec;
  private final Codec<O> outputCodec;
  private final Codec<E> fingerprintCodec;
  private final @Nullable Function<Event<E>, List<String>> keys;
  // One of the two.
  private final @Nullable Update<S, E, O> ofOneKey;
  private final @Nullable Update<States<S>, E, O> ofSeveralKeys;

  private Fold(
      Builder<S, E, O> builder,
      @Nullable Function<Event<E>, List<String>> keys,
      @Nullable Update<S, E, O> ofOneKey,
      @Nullable Update<States<S>, E, O> ofSeveralKeys) {
    this.name = builder.name;
    this.version = builder.version;
    this.rules = builder.rules;
    this.initial = required(builder.initial, "initially(state)", "what a key starts from");
    this.ids =
        required(
            builder.ids,
            "remembering(span), rememberingForever() or rememberingNoIds()",
            "how long a re-send is recognised");
    this.whenFailed = builder.whenFailed;
    this.stateCodec = builder.stateCodec != null ? builder.stateCodec : Codec.of(builder.stateType);
    this.eventCodec = builder.eventCodec != null ? builder.eventCodec : Codec.of(builder.eventType);
    this.outputCodec =
        builder.outputCodec != null ? builder.outputCodec : Codec.of(builder.outputType);
    this.fingerprintCodec =
        builder.fingerprint.isEmpty()
            ? eventCodec
            : eventCodec.only(builder.fingerprint.toArray(String[]::new));
    this.keys = keys;
    this.ofOneKey = ofOneKey;
    this.ofSeveralKeys = ofSeveralKeys;
  }

  private <T> T required(@Nullable T value, String call, String why) {
    if (value == null) {
      throw new IllegalArgumentException(
          "the fold \"" + name + "\" does not say " + why + ": call " + call);
    }
    return value;
  }

  /**
   * Starts the definition of a fold. Types that the default codec does not cover need a codec of
   * their own.
   *
   * @param name names the fold in its store and in the ids of its outputs; never change it
   * @param state the type of one key's state
   * @param event the type of the events' values
   * @param output the type of the outputs
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return a builder
   */
  public static <S, E, O> Builder<S, E, O> of(
      String name, Class<S> state, Class<E> event, Class<O> output) {
    return new Builder<>(name, state, event, output);
  }

  /**
   * The fold's name.
   *
   * @return the name
   */
  public String name() {
    return name;
  }

  /**
   * The version of the rules.
   *
   * @return the version, from 1
   */
  public int version() {
    return version;
  }

  /**
   * The text of the rules.
   *
   * @return the text; empty where none was given
   */
  public String rules() {
    return rules;
  }

  /**
   * The state of a key that has none.
   *
   * @return the initial state
   */
  public S initial() {
    return initial;
  }

  /**
   * How long ids are remembered.
   *
   * @return the choice made
   */
  public Ids ids() {
    return ids;
  }

  /**
   * What a source's run does with a Failed event.
   *
   * @return the choice made
   */
  public WhenFailed whenFailed() {
    return whenFailed;
  }

  /**
   * How states are written.
   *
   * @return the codec
   */
  public Codec<S> stateCodec() {
    return stateCodec;
  }

  /**
   * How the values of events are written.
   *
   * @return the codec
   */
  public Codec<E> eventCodec() {
    return eventCodec;
  }

  /**
   * How outputs are written.
   *
   * @return the codec
   */
  public Codec<O> outputCodec() {
    return outputCodec;
  }

  /**
   * How the part of an event's value is written that tells a re-send from a conflict.
   *
   * @return the codec; the event's own unless it was narrowed
   */
  public Codec<E> fingerprintCodec() {
    return fingerprintCodec;
  }

  /**
   * Whether an event may change several keys. An engine that cannot do that refuses the fold.
   *
   * @return true for a fold over several keys
   */
  public boolean hasSeveralKeys() {
    return keys != null;
  }

  /**
   * The keys whose states the event sees and changes.
   *
   * @param event an event
   * @return the keys, each once
   * @throws IllegalArgumentException if the user's function answers none, null or a key twice; what
   *     else that function throws passes through
   */
  public List<String> keys(Event<E> event) {
    if (keys == null) {
      return List.of(event.key());
    }
    List<String> named = keys.apply(event);
    if (named == null || named.isEmpty()) {
      throw new IllegalArgumentException("keys(event) names no key");
    }
    for (int i = 0; i < named.size(); i++) {
      String key = named.get(i);
      if (key == null) {
        throw new IllegalArgumentException("keys(event) names a null key");
      }
      if (named.lastIndexOf(key) != i) {
        throw new IllegalArgumentException(
            "keys(event) names \""
                + key
                + "\" twice; name a key once, and let the rules reject an event from a key to"
                + " itself");
      }
    }
    return named;
  }

  @Nullable Update<S, E, O> ofOneKey() {
    return ofOneKey;
  }

  @Nullable Update<States<S>, E, O> ofSeveralKeys() {
    return ofSeveralKeys;
  }

  /**
   * How long ids are remembered.
   *
   * @param kind the kind of choice
   * @param span the span of event time, for {@link Kind#SPAN}; zero otherwise
   * @param atMost a bound on the count of ids, which raises the floor too; {@link Long#MAX_VALUE}
   *     where there is none
   */
  public record Ids(Kind kind, Duration span, long atMost) {
    /** The kinds of choice. */
    public enum Kind {
      /** For a span of event time. */
      SPAN,
      /** For ever: memory grows with every event. */
      FOREVER,
      /** Not at all: only positions protect, and a re-send is applied again. */
      NONE
    }

    /**
     * How far ahead of the clock an event's time may be: the lesser of one day and half the span,
     * so that one wrong clock cannot expire everybody else's events.
     *
     * @return the allowance in milliseconds
     */
    public long aheadMillis() {
      return Math.min(Duration.ofDays(1).toMillis(), span.toMillis() / 2);
    }

    /**
     * Where the floor may rise to. It rises in steps of an eighth of the span, since each rise
     * costs, and only where there is an id to forget.
     *
     * @param floor the present floor; {@link Kernel#NO_FLOOR} where there is none
     * @param least the least watermark of the partitions that still have unread input; {@link
     *     Kernel#NO_FLOOR} where one of them has none
     * @param oldest the least time of the remembered ids
     * @return the floor from now on; the present one where it stays
     */
    public long nextFloor(long floor, long least, long oldest) {
      if (kind != Kind.SPAN || least == Kernel.NO_FLOOR) {
        return floor;
      }
      long millis = span.toMillis();
      long candidate = least - millis > least ? Long.MIN_VALUE + 1 : least - millis;
      boolean rises =
          candidate > floor
              && candidate >= oldest
              && (floor == Kernel.NO_FLOOR || candidate - millis / 8 >= floor);
      return rises ? candidate : floor;
    }
  }

  /**
   * Defines a fold. Ends with one of the {@code update} methods.
   *
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   */
  public static final class Builder<S, E, O> {
    private final String name;
    private final Class<S> stateType;
    private final Class<E> eventType;
    private final Class<O> outputType;
    private int version = 1;
    private String rules = "";
    private @Nullable S initial;
    private @Nullable Ids ids;
    private long atMost = Long.MAX_VALUE;
    private WhenFailed whenFailed = WhenFailed.STOP;
    private List<String> fingerprint = List.of();
    private @Nullable Codec<S> stateCodec;
    private @Nullable Codec<E> eventCodec;
    private @Nullable Codec<O> outputCodec;

    private Builder(String name, Class<S> state, Class<E> event, Class<O> output) {
      if (name.isBlank()) {
        throw new IllegalArgumentException("a fold needs a name");
      }
      this.name = name;
      this.stateType = Objects.requireNonNull(state);
      this.eventType = Objects.requireNonNull(event);
      this.outputType = Objects.requireNonNull(output);
    }

    /**
     * Sets the version of the rules; 1 unless set. Raise it whenever the update changes, so that a
     * store asks what to do with the state that the old rules made.
     *
     * @param version the version, from 1
     * @return this
     */
    public Builder<S, E, O> version(int version) {
      if (version < 1) {
        throw new IllegalArgumentException("the version of a fold starts at 1, not " + version);
      }
      this.version = version;
      return this;
    }

    /**
     * Gives the text of the rules, such as the file that the update is made from; none unless set.
     * A store keeps it, and refuses a fold whose text changed though its version did not. The text
     * is compared by its lines.
     *
     * @param text the text, of any number of lines; empty for none
     * @return this
     */
    public Builder<S, E, O> rules(String text) {
      this.rules = Objects.requireNonNull(text);
      return this;
    }

    /**
     * Sets the state of a key that has none, which also gives stored states the fields added since.
     *
     * @param initial the state; immutable, since all keys share it
     * @return this
     */
    public Builder<S, E, O> initially(S initial) {
      this.initial = initial;
      return this;
    }

    /**
     * Remembers ids for a span of event time: every event with an id needs a time. A re-send older
     * than that is Expired, never applied twice.
     *
     * @param span the span, at least two milliseconds
     * @return this
     */
    public Builder<S, E, O> remembering(Duration span) {
      if (span.compareTo(Duration.ofMillis(2)) < 0
          || span.compareTo(Duration.ofMillis(Long.MAX_VALUE)) > 0) {
        throw new IllegalArgumentException(
            "ids cannot be remembered for "
                + span
                + ", only for two milliseconds or more, or by rememberingForever()");
      }
      this.ids = new Ids(Ids.Kind.SPAN, span, Long.MAX_VALUE);
      return this;
    }

    /**
     * Remembers ids for ever. Memory grows with every event that has an id.
     *
     * @return this
     */
    public Builder<S, E, O> rememberingForever() {
      this.ids = new Ids(Ids.Kind.FOREVER, Duration.ZERO, Long.MAX_VALUE);
      return this;
    }

    /**
     * Remembers no ids: only the positions of the source protect, and a re-send is applied again.
     *
     * @return this
     */
    public Builder<S, E, O> rememberingNoIds() {
      this.ids = new Ids(Ids.Kind.NONE, Duration.ZERO, Long.MAX_VALUE);
      return this;
    }

    /**
     * Bounds the count of remembered ids. Beyond it the oldest are forgotten early and the floor
     * rises: their re-sends are Expired, and so are first deliveries of that age.
     *
     * @param ids the bound, at least 1; the store may hold a batch more for a moment
     * @return this
     */
    public Builder<S, E, O> atMost(long ids) {
      if (ids < 1) {
        throw new IllegalArgumentException("the bound on remembered ids is at least 1, not " + ids);
      }
      this.atMost = ids;
      return this;
    }

    /**
     * Says what a source's run does with a Failed event; {@link WhenFailed#STOP} unless set.
     *
     * @param whenFailed the choice
     * @return this
     */
    public Builder<S, E, O> whenFailed(WhenFailed whenFailed) {
      this.whenFailed = Objects.requireNonNull(whenFailed);
      return this;
    }

    /**
     * Narrows what tells a re-send from a conflict to some fields of the event's record, for
     * senders that stamp each attempt with something new.
     *
     * @param fields names of record components
     * @return this
     */
    public Builder<S, E, O> fingerprint(String... fields) {
      this.fingerprint = List.of(fields);
      return this;
    }

    /**
     * Sets how states are written, instead of the default codec.
     *
     * @param codec the codec
     * @return this
     */
    public Builder<S, E, O> stateCodec(Codec<S> codec) {
      this.stateCodec = Objects.requireNonNull(codec);
      return this;
    }

    /**
     * Sets how the values of events are written, instead of the default codec.
     *
     * @param codec the codec
     * @return this
     */
    public Builder<S, E, O> eventCodec(Codec<E> codec) {
      this.eventCodec = Objects.requireNonNull(codec);
      return this;
    }

    /**
     * Sets how outputs are written, instead of the default codec.
     *
     * @param codec the codec
     * @return this
     */
    public Builder<S, E, O> outputCodec(Codec<O> codec) {
      this.outputCodec = Objects.requireNonNull(codec);
      return this;
    }

    /**
     * Finishes a fold whose events each change one key: their own.
     *
     * @param update the rules
     * @return the fold
     * @throws IllegalArgumentException if something required is missing or a type has no codec
     */
    public Fold<S, E, O> update(Update<S, E, O> update) {
      return build(null, Objects.requireNonNull(update), null);
    }

    /**
     * Finishes a fold whose events change several keys at once: all of them change or none.
     *
     * @param keys names the keys of an event, each once
     * @param update the rules; sees the states of all the keys and answers all the new ones. A null
     *     state deletes them all
     * @return the fold
     * @throws IllegalArgumentException if something required is missing or a type has no codec
     */
    public Fold<S, E, O> update(
        Function<Event<E>, List<String>> keys, Update<States<S>, E, O> update) {
      return build(Objects.requireNonNull(keys), null, Objects.requireNonNull(update));
    }

    private Fold<S, E, O> build(
        @Nullable Function<Event<E>, List<String>> keys,
        @Nullable Update<S, E, O> ofOneKey,
        @Nullable Update<States<S>, E, O> ofSeveralKeys) {
      if (ids != null && atMost != Long.MAX_VALUE) {
        if (ids.kind() != Ids.Kind.SPAN) {
          throw new IllegalArgumentException(
              "the fold \""
                  + name
                  + "\" bounds the count of its ids without remembering(span): only ids with a time"
                  + " can be forgotten safely");
        }
        ids = new Ids(ids.kind(), ids.span(), atMost);
      }
      return new Fold<>(this, keys, ofOneKey, ofSeveralKeys);
    }
  }
}
