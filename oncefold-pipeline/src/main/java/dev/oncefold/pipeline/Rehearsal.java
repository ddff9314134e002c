package dev.oncefold.pipeline;

import dev.oncefold.Counts;
import dev.oncefold.DryRun;
import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Kernel;
import dev.oncefold.Polled;
import dev.oncefold.Position;
import dev.oncefold.Received;
import dev.oncefold.Row;
import dev.oncefold.Source;
import dev.oncefold.Verdict;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Input to try a pipeline on: from a sample, which is read and never changed, or, where there is
 * none, made from the types and the expressions of the pipeline. Nothing else that the pipeline
 * names is opened.
 *
 * <p>For one thread at a time.
 */
public final class Rehearsal {
  private final Pipeline pipeline;
  private final RecordWriter writer;
  private final boolean refuses;
  private final boolean remembers;
  // For other values of fields only.
  private final Generator generator;
  private final Kernel<Row, Row, String> kernel;

  private Rehearsal(Pipeline pipeline) {
    this.pipeline = pipeline;
    this.writer = pipeline.insight().writer();
    this.refuses = pipeline.fold().whenFailed() == Fold.WhenFailed.REFUSE;
    this.remembers =
        pipeline.mapping().id() != null && pipeline.fold().ids().kind() != Fold.Ids.Kind.NONE;
    this.generator = new Generator(pipeline, 1, new SplittableRandom(0));
    this.kernel = new Kernel<>(pipeline.fold());
  }

  /**
   * Loads a pipeline to try it. Its source need not be there.
   *
   * @param file the pipeline file
   * @param sample a file to take events from, written as the source is; null for the file that the
   *     pipeline names as its source
   * @return the rehearsal
   * @throws PipelineException if the pipeline cannot be used; it names every problem found
   */
  public static Rehearsal of(Path file, @Nullable Path sample) {
    return new Rehearsal(
        Loader.rehearsal(file, sample == null ? null : sample.toAbsolutePath().toString()));
  }

  /**
   * One record of the input.
   *
   * @param bytes the record, without a line end
   * @param event its event; null where none can be made of it
   * @param verdict what came of it in the dry run
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Line(byte[] bytes, @Nullable Event<Row> event, Verdict.Kind verdict) {
    /**
     * Whether its id is remembered once it was judged.
     *
     * @return true for a first delivery that was Applied or Rejected, of an event that has an id
     */
    public boolean isRemembered() {
      return event != null
          && event.id() != null
          && (verdict == Verdict.Kind.APPLIED || verdict == Verdict.Kind.REJECTED);
    }

    /**
     * The time of its event.
     *
     * @return epoch milliseconds, or null where it has none
     */
    public @Nullable Long millis() {
      return event == null || event.time() == null ? null : event.time().toEpochMilli();
    }
  }

  /**
   * Records, each sent once, but for re-sends that a sample has.
   *
   * @param lines the records, in order
   * @param sampled how many records of a sample were read; 0 where there is none, and the lines are
   *     made up
   * @param counts what came of them in a dry run
   * @param notes what a person has to know of them: sentences
   */
  public record Lines(List<Line> lines, int sampled, Counts counts, List<String> notes) {}

  /**
   * The pipeline, whose own source, store and outputs are not to be opened: see {@link
   * Pipeline#in}.
   *
   * @return the pipeline
   */
  public Pipeline pipeline() {
    return pipeline;
  }

  /**
   * Whether a re-send is recognised. Where events have no id, or ids are not remembered, only
   * positions protect: what is sent again is another event.
   *
   * @return true if events have ids that are remembered
   */
  public boolean recognisesResends() {
    return remembers;
  }

  /**
   * A name for the file of the input.
   *
   * @return a name from which the format can be told
   */
  public String fileName() {
    return pipeline.format().equals("CSV") ? "input.csv" : "input.ndjson";
  }

  // ---------------------------------------------------------------- events

  /**
   * The first deliveries. From one seed, of the same sample, they are the same at any time.
   *
   * <p>Where the pipeline stops for a Failed event, those that would fail are left out.
   *
   * @param seed what they are made from
   * @param wanted how many are wanted; there may be fewer, which the notes say
   * @param clock held against event times, as in a run
   * @return the records
   * @throws InterruptedException if the thread was interrupted
   */
  public Lines lines(long seed, int wanted, Clock clock) throws InterruptedException {
    if (wanted < 1) {
      throw new IllegalArgumentException("at least one event is wanted, not " + wanted);
    }
    List<Copies.Original> sample = sample(wanted);
    Fold.Ids ids = pipeline.fold().ids();
    Trial trial =
        new Trial(
            ids.kind() == Fold.Ids.Kind.SPAN
                ? clock.millis() + ids.aheadMillis()
                : Kernel.NO_LIMIT);
    List<String> notes = new ArrayList<>();
    if (sample.isEmpty()) {
      Generator made = new Generator(pipeline, wanted, new SplittableRandom(seed));
      for (long tries = 0; tries < 3L * wanted && trial.lines.size() < wanted; tries++) {
        trial.take(made.next());
      }
      generated(trial, wanted, notes);
    } else {
      Copies copies = new Copies(pipeline);
      List<byte[]> records =
          copies.possible()
              ? copies.of(sample, wanted)
              : sample.stream().map(Copies.Original::bytes).toList();
      records.forEach(trial::take);
      sampled(trial, sample.size(), copies.possible(), wanted, notes);
    }
    if (!remembers) {
      notes.add(
          "no event is sent again: "
              + (pipeline.mapping().id() == null
                  ? "events have no id, so a re-send is another event"
                  : "no ids are remembered, so a re-send is applied again"));
    }
    return new Lines(trial.lines, sample.size(), trial.tally.counts(), notes);
  }

  private static void generated(Trial trial, int wanted, List<String> notes) {
    long applied = trial.tally.counts().applied();
    long judged = trial.lines.size() + trial.failed;
    String sample = ": give a sample with --source FILE";
    if (applied == 0) {
      notes.add("of " + judged + " made-up events none is applied" + trial.why() + sample);
    } else if (applied * 2 < judged) {
      notes.add(
          "of "
              + judged
              + " made-up events only "
              + applied
              + " are applied"
              + trial.why()
              + sample);
    }
    if (trial.lines.size() < wanted) {
      notes.add("there are " + trial.lines.size() + " events instead of " + wanted);
    }
  }

  private static void sampled(
      Trial trial, int sampled, boolean copied, int wanted, List<String> notes) {
    if (sampled < wanted) {
      notes.add(
          copied
              ? "the sample has "
                  + sampled
                  + " records; each is copied, as an event of its own, until there are "
                  + wanted
              : "only the sample's "
                  + sampled
                  + " records are used: no copy of a record is a new event, since neither id nor key"
                  + " is a plain field");
    }
    if (trial.failed > 0) {
      notes.add(
          "left out of the sample and its copies, since they would stop the run: "
              + trial.failed
              + trial.why());
    }
    if (trial.tally.counts().applied() == 0) {
      notes.add("no event of the sample is applied" + trial.why());
    }
  }

  /** The first records of the source. */
  private List<Copies.Original> sample(int wanted) throws InterruptedException {
    List<Copies.Original> sample = new ArrayList<>();
    Input input = pipeline.input();
    if (!input.hasRecords()) {
      return sample;
    }
    Deque<byte[]> raw = new ArrayDeque<>();
    try (Source<Row> source =
        input.open(
            (bytes, from, length) -> {
              byte[] record = Arrays.copyOfRange(bytes, from, from + length);
              raw.clear();
              raw.add(record);
              return decoded(record);
            },
            false)) {
      source.seek(input.partition(), Position.START);
      while (!source.ended() && sample.size() < wanted) {
        raw.clear();
        Polled<Row> polled = source.poll(1, Duration.ZERO);
        // One that is too long to be read was not shown to us.
        if (polled != null && !raw.isEmpty()) {
          for (Received<Row> received : polled.events()) {
            sample.add(new Copies.Original(raw.element(), received.event()));
          }
        }
      }
    }
    return sample;
  }

  private @Nullable Event<Row> decoded(byte[] record) throws Exception {
    Row row = pipeline.reader().read(record, 0, record.length);
    return row == null ? null : pipeline.mapping().event(row);
  }

  /** Judges records and keeps those that a run may meet. */
  private final class Trial {
    private final DryRun<Row, Row, String> run;
    private final List<Line> lines = new ArrayList<>();
    private final Counts.Tally tally = new Counts.Tally();
    private long failed;
    private String reason = "";

    Trial(long latest) {
      this.run = new DryRun<>(pipeline.fold(), latest);
    }

    void take(byte[] record) {
      Event<Row> event = null;
      Verdict<Row, String> verdict;
      try {
        event = decoded(record);
        if (event == null) {
          return; // an empty line
        }
        verdict = run.apply(event);
      } catch (Exception e) {
        verdict = new Verdict.Failed<>(Verdict.Cause.UNDECODABLE, String.valueOf(e.getMessage()));
      }
      if (verdict instanceof Verdict.Failed<Row, String> failure) {
        reason = reason.isEmpty() ? "failed: " + failure.reason() : reason;
        if (!refuses) {
          failed++;
          return;
        }
      } else if (verdict instanceof Verdict.Rejected<Row, String> rejected) {
        reason = reason.isEmpty() ? "was rejected: " + rejected.reason() : reason;
      }
      tally.add(verdict);
      lines.add(new Line(record, event, verdict.kind()));
    }

    /** Why one of them was not applied. */
    String why() {
      return reason.isEmpty() ? "" : " (such as one that " + reason + ")";
    }
  }

  // ---------------------------------------------------------------- what is sent again

  /**
   * The same event with another payload, which a store that remembers its id calls a Conflict.
   *
   * @param line a line with an event
   * @param seed what the payload is made from
   * @return the record; null where all fields that tell a re-send from a conflict are part of the
   *     id, the key or the time
   */
  public @Nullable Line changed(Line line, long seed) {
    Event<Row> event = Objects.requireNonNull(line.event());
    SplittableRandom random = new SplittableRandom(seed);
    Set<String> known = generator.ofWhatEventsAreKnownBy();
    List<String> fields = new ArrayList<>(pipeline.insight().fields().types().keySet());
    fields.removeAll(known);
    Collections.rotate(fields, fields.isEmpty() ? 0 : random.nextInt(fields.size()));
    long fingerprint = kernel.fingerprint(event.value());
    for (String field : fields) {
      for (Object value : generator.others(field, event.value().get(field), random)) {
        byte[] bytes = writer.with(line.bytes(), Collections.singletonMap(field, value));
        try {
          Event<Row> other = decoded(bytes);
          if (other != null
              && Objects.equals(other.id(), event.id())
              && other.key().equals(event.key())
              && Objects.equals(other.time(), event.time())
              && kernel.fingerprint(other.value()) != fingerprint) {
            return new Line(bytes, other, Verdict.Kind.CONFLICT);
          }
        } catch (Exception e) {
          // no value for this field: the next
        }
      }
    }
    return null;
  }

  /**
   * Records that no event can be made of: none where the pipeline would stop for them.
   *
   * @return some records
   */
  public List<Line> unreadable() {
    return refuses
        ? writer.unreadable().stream()
            .map(bytes -> new Line(bytes, null, Verdict.Kind.FAILED))
            .toList()
        : List.of();
  }

  /**
   * Writes records as a source of the pipeline has them.
   *
   * @param lines the records
   * @param to the file; overwritten
   * @throws IOException if it cannot be written
   */
  public void write(List<Line> lines, Path to) throws IOException {
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(to))) {
      byte[] header = writer.header();
      if (header != null) {
        out.write(header);
        out.write('\n');
      }
      for (Line line : lines) {
        out.write(line.bytes());
        out.write('\n');
      }
    }
  }
}
