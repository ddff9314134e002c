package dev.oncefold.postgres;

import dev.oncefold.Sink;
import dev.oncefold.journal.Emitted;
import dev.oncefold.journal.Entry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a fold is kept in PostgreSQL, and how. Immutable: each method answers a new value. It has
 * no {@code toString} of its own, since it may hold a password.
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public final class Options<S, E, O> implements Cloneable {
  /** Which partitions of the input a key may turn up in. */
  public enum Keys {
    /**
     * In one only, as where the input is partitioned by key: states stay in memory between batches.
     * A key that turns up in a second partition is detected and refused.
     */
    OWNED,
    /**
     * In several: every batch reads the rows it needs and locks them. A fold over several keys
     * needs this.
     */
    SHARED
  }

  private static final Pattern READABLE =
      Pattern.compile(
          "jdbc:postgresql:(//HOST(,HOST)*/)?[^/@?]*(\\?.*)?"
              .replace("HOST", "(\\[[0-9a-fA-F:.]+]|[^/@?:,\\[\\]]*)(:\\d{1,5})?"));

  private final String url;
  private final @Nullable Name table;
  private Properties properties = new Properties();
  private Name schema = Name.of("oncefold");
  private Name keyColumn = Name.of("key");
  private Keys keys = Keys.OWNED;
  private @Nullable Columns<S> columns;
  private int batchSize = 4096;
  private int cachedKeys = 500_000;
  private Duration idle = Duration.ofSeconds(10);
  private Duration longestBackOff = Duration.ofSeconds(5);
  private boolean acceptChange;
  private @Nullable Sink sink;
  private Map<String, Function<Emitted<O>, byte[]>> outputs = new LinkedHashMap<>();
  private @Nullable Function<Entry<S, E, O>, byte[]> refusals;
  private long outboxBytes = 64L << 20;

  private Options(String url, @Nullable Name table) {
    this.url = url;
    this.table = table;
  }

  /**
   * The options of a fold with the usual choices.
   *
   * @param url where the database is, as pgjdbc takes it: {@code
   *     jdbc:postgresql://host:port/database}
   * @param table the table that holds the states: {@code table} or {@code schema.table}; it is made
   *     if it is not there
   * @param <S> the type of one key's state
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the options
   * @throws IllegalArgumentException if the URL or the name cannot be one
   */
  public static <S, E, O> Options<S, E, O> of(String url, String table) {
    return new Options<>(checked(url), Name.ofTable(table));
  }

  /**
   * The options of a {@link SqlStore}, with the usual choices. Since every event has a savepoint,
   * of which the server keeps 64 at hand, a batch has at most 60 events unless set otherwise.
   *
   * @param url where the database is: {@code jdbc:postgresql://host:port/database}
   * @param <E> the type of the events' values
   * @param <O> the type of the outputs
   * @return the options
   * @throws IllegalArgumentException if the URL cannot be one
   */
  public static <E, O> Options<SqlUpdate.NoState, E, O> ofSql(String url) {
    Options<SqlUpdate.NoState, E, O> options = new Options<>(checked(url), null);
    return options.batchSize(60);
  }

  private static String checked(String url) {
    if (!url.startsWith("jdbc:postgresql:")) {
      throw new IllegalArgumentException(
          "the URL of the database must begin with jdbc:postgresql:, as in"
              + " jdbc:postgresql://localhost:5432/database");
    }
    // The driver repeats a URL that it cannot read, in its message and in its log: passwords, too.
    if (!READABLE.matcher(url).matches()) {
      throw new IllegalArgumentException(
          "the URL of the database cannot be read: it must be like"
              + " jdbc:postgresql://localhost:5432/database, several hosts with commas. User and"
              + " password are options of their own");
    }
    return url;
  }

  private Options<S, E, O> copy() {
    try {
      @SuppressWarnings("unchecked")
      Options<S, E, O> copy = (Options<S, E, O>) clone();
      return copy;
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Sets a property of the connections, as pgjdbc knows it: {@code user}, {@code password}, {@code
   * sslmode} and so on.
   *
   * @param name the property's name
   * @param value its value
   * @return new options
   */
  public Options<S, E, O> property(String name, String value) {
    Options<S, E, O> copy = copy();
    copy.properties = new Properties();
    copy.properties.putAll(properties);
    copy.properties.setProperty(name, value);
    return copy;
  }

  /**
   * Sets who connects.
   *
   * @param user the user's name
   * @return new options
   */
  public Options<S, E, O> user(String user) {
    return property("user", user);
  }

  /**
   * Sets the password. No message ever holds it.
   *
   * @param password the password
   * @return new options
   */
  public Options<S, E, O> password(String password) {
    return property("password", password);
  }

  /**
   * Sets the schema of the bookkeeping tables; {@code oncefold} unless set. It is made if it is not
   * there, and may hold many folds.
   *
   * @param name the schema's name
   * @return new options
   */
  public Options<S, E, O> schema(String name) {
    Options<S, E, O> copy = copy();
    copy.schema = Name.of(name);
    return copy;
  }

  /**
   * Sets the name of the table's key column; {@code key} unless set.
   *
   * @param name the column's name
   * @return new options
   */
  public Options<S, E, O> keyColumn(String name) {
    Options<S, E, O> copy = copy();
    copy.keyColumn = Name.of(name);
    return copy;
  }

  /**
   * Sets in which partitions a key may turn up; {@link Keys#OWNED} unless set. All workers of a
   * fold must say the same.
   *
   * @param choice the choice
   * @return new options
   */
  public Options<S, E, O> keys(Keys choice) {
    Options<S, E, O> copy = copy();
    copy.keys = Objects.requireNonNull(choice);
    return copy;
  }

  /**
   * Sets how states become columns, for types that {@link Columns#of} does not cover.
   *
   * @param mapping the columns
   * @return new options
   */
  public Options<S, E, O> columns(Columns<S> mapping) {
    Options<S, E, O> copy = copy();
    copy.columns = Objects.requireNonNull(mapping);
    return copy;
  }

  /**
   * Sets how many events one transaction takes at most; 4096 unless set.
   *
   * @param events the count, from 1
   * @return new options
   */
  public Options<S, E, O> batchSize(int events) {
    Options<S, E, O> copy = copy();
    copy.batchSize = positive("a batch", events);
    return copy;
  }

  /**
   * Sets how many keys this worker keeps in memory between batches at most; 500,000 unless set. The
   * least recently used go. Only with {@link Keys#OWNED}.
   *
   * @param most the count, 0 for none
   * @return new options
   */
  public Options<S, E, O> cachedKeys(int most) {
    Options<S, E, O> copy = copy();
    copy.cachedKeys = most == 0 ? 0 : positive("the keys in memory", most);
    return copy;
  }

  /**
   * Sets how long the database lets a batch stand still between two statements before it takes its
   * locks away; 10 seconds unless set. An update that takes longer for a whole batch never gets
   * done. Nothing but liveness rests on it.
   *
   * @param idle the time, from 1 millisecond
   * @return new options
   */
  public Options<S, E, O> idle(Duration idle) {
    positive("the time of standing still", idle.toMillis());
    Options<S, E, O> copy = copy();
    copy.idle = idle;
    return copy;
  }

  /**
   * Sets to how much the time between two attempts to reach a database that is away grows, by
   * doubling; 5 seconds unless set.
   *
   * @param most the time, from 1 millisecond
   * @return new options
   */
  public Options<S, E, O> longestBackOff(Duration most) {
    positive("the time between two attempts", most.toMillis());
    Options<S, E, O> copy = copy();
    copy.longestBackOff = most;
    return copy;
  }

  /**
   * Goes on under another version of the fold, or under other rules: remembered verdicts and states
   * stay as they are, columns of added fields are added to the table.
   *
   * @return new options
   */
  public Options<S, E, O> acceptingChange() {
    Options<S, E, O> copy = copy();
    copy.acceptChange = true;
    return copy;
  }

  /**
   * Sets where outputs and refusals go that are routed by {@link #output} and {@link #refusals}.
   * The store opens lanes of it and does not close it.
   *
   * @param sink the sink
   * @return new options
   */
  public Options<S, E, O> sink(Sink sink) {
    Options<S, E, O> copy = copy();
    copy.sink = Objects.requireNonNull(sink);
    return copy;
  }

  /**
   * Sends an output to the sink. Outputs that are not sent anywhere are counted only.
   *
   * @param name the output's name
   * @param format makes the bytes of a message; {@link Emitted#sequence} is the offset of the event
   *     in its partition
   * @return new options
   */
  public Options<S, E, O> output(String name, Function<Emitted<O>, byte[]> format) {
    Options<S, E, O> copy = copy();
    copy.outputs = new LinkedHashMap<>(outputs);
    copy.outputs.put(name, Objects.requireNonNull(format));
    return copy;
  }

  /**
   * Sends the refusals to the sink, instead of into the table {@code refusals} of the bookkeeping
   * schema.
   *
   * @param format makes the bytes of a message; {@link Entry#sequence} is the offset of the event
   *     in its partition
   * @return new options
   */
  public Options<S, E, O> refusals(Function<Entry<S, E, O>, byte[]> format) {
    Options<S, E, O> copy = copy();
    copy.refusals = Objects.requireNonNull(format);
    return copy;
  }

  /**
   * Sets how many bytes of messages may wait for the sink; 64 MiB unless set. Beyond it batches
   * wait.
   *
   * @param most the bytes
   * @return new options
   */
  public Options<S, E, O> outboxBytes(long most) {
    positive("the outbox", most);
    Options<S, E, O> copy = copy();
    copy.outboxBytes = most;
    return copy;
  }

  private static int positive(String what, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(what + " is at least 1, not " + value);
    }
    return (int) Math.min(value, Integer.MAX_VALUE);
  }

  String url() {
    return url;
  }

  Properties properties() {
    return properties;
  }

  /** The table of the states; null where there is none, but the SQL of a user. */
  @Nullable Name table() {
    return table;
  }

  Name schema() {
    return schema;
  }

  Name keyColumn() {
    return keyColumn;
  }

  Keys keys() {
    return keys;
  }

  @Nullable Columns<S> columns() {
    return columns;
  }

  int batchSize() {
    return batchSize;
  }

  int cachedKeys() {
    return cachedKeys;
  }

  Duration idle() {
    return idle;
  }

  Duration longestBackOff() {
    return longestBackOff;
  }

  boolean acceptChange() {
    return acceptChange;
  }

  @Nullable Sink sink() {
    return sink;
  }

  Map<String, Function<Emitted<O>, byte[]>> outputs() {
    return outputs;
  }

  @Nullable Function<Entry<S, E, O>, byte[]> refusals() {
    return refusals;
  }

  long outboxBytes() {
    return outboxBytes;
  }
}
