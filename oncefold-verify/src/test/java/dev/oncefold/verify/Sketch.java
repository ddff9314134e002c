package dev.oncefold.verify;

import dev.oncefold.Counts;
import dev.oncefold.Output;
import dev.oncefold.Verdict;
import dev.oncefold.verify.TraceModel.Move;
import dev.oncefold.verify.TraceModel.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A small history, drawn by hand: one partition whose positions count events, so that a test reads
 * as what happened. What it tells is right unless the test says otherwise.
 */
final class Sketch implements History {
  static final String P = "p0";
  static final long SPAN = 1000;

  final List<Observation> observations = new ArrayList<>();
  private final Map<String, Trace> traces = new TreeMap<>();
  private final Map<String, Long> versions = new TreeMap<>();
  private final Map<String, Trace> shown = new TreeMap<>();
  private final Counts.Tally tally = new Counts.Tally();
  private long told;
  private long committed;

  Sketch() {
    this(Observation.Needs.LEAST, null);
  }

  Sketch(Observation.Needs needs, @Nullable Long conserved) {
    observations.add(
        new Observation.Begin(
            "sketch", "moves", 7, TraceModel.NAME, SPAN, conserved, needs, Map.of()));
  }

  @Override
  public void read(Consumer<Observation> each) {
    observations.forEach(each);
  }

  Sketch add(Observation observation) {
    observations.add(observation);
    return this;
  }

  /** An event of the input. */
  Sketch input(@Nullable String id, long time, Move move) {
    return add(new Observation.Input(P, told, ++told, move.keys().get(0), id, time, move.text()));
  }

  Sketch undecodable() {
    return add(new Observation.Input(P, told, ++told, null, null, null, "?"));
  }

  static Move deposit(long seq, String key, long amount) {
    return new Move(seq, List.of(key), List.of(amount));
  }

  static Move transfer(long seq, String from, String to, long amount) {
    return new Move(seq, List.of(from, to), List.of(-amount, amount));
  }

  /** Everything told is committed. */
  Sketch commit(String verdicts) {
    return commit(verdicts, null);
  }

  Sketch commit(String verdicts, @Nullable Long floor) {
    long from = committed;
    committed = told;
    for (int i = 0; i < verdicts.length(); i++) {
      tally.add(Letters.kind(verdicts.charAt(i)), 0);
    }
    return add(new Observation.Commit(P, from, told, 1, floor, null, 1, verdicts));
  }

  /** The engine holds the effect of an event, and counts the outputs of it. */
  Sketch holds(String id, Move move) {
    for (int i = 0; i < move.keys().size(); i++) {
      String key = move.keys().get(i);
      traces.put(
          key, traces.getOrDefault(key, Trace.NONE).after(id, move.seq(), move.amounts().get(i)));
      versions.merge(key, 1L, Long::sum);
    }
    return this;
  }

  Trace trace(String key) {
    return traces.getOrDefault(key, Trace.NONE);
  }

  Observation.Slot slot(String key) {
    return new Observation.Slot(key, versions.getOrDefault(key, 0L), trace(key).text());
  }

  /** A snapshot of what the engine holds, as of the last commit. */
  Sketch snapshot() {
    return snapshot(committed);
  }

  Sketch snapshot(long position) {
    return snapshot(position, tally.counts());
  }

  Sketch snapshot(long position, Counts counts) {
    long outputs = versions.values().stream().mapToLong(version -> version).sum();
    List<String> changed =
        traces.keySet().stream().filter(k -> !trace(k).equals(shown.get(k))).toList();
    shown.putAll(traces);
    add(
        new Observation.Snapshot(
            Map.of(P, position),
            new Counts(
                counts.applied(),
                counts.rejected(),
                counts.duplicates(),
                counts.conflicts(),
                counts.expired(),
                counts.failed(),
                outputs),
            null,
            changed.size()));
    changed.forEach(key -> add(slot(key)));
    return this;
  }

  Sketch output(String key, String id, int n, Trace value) {
    return add(
        new Observation.Output(
            "file", TraceModel.OUTPUT, key, Output.id("moves", key, id, n), value.text()));
  }

  Sketch refusal(String key, String id, Verdict.Kind verdict) {
    return add(new Observation.Refusal("file", key, id, Letters.of(verdict)));
  }

  Sketch complete() {
    return add(new Observation.Complete("file"));
  }

  Sketch snapshotOfNothing() {
    return add(new Observation.Snapshot(Map.of(), Counts.NONE, null, 0));
  }

  /** A commit of events that nobody told. */
  Sketch commitTo(long to, String verdicts) {
    return add(new Observation.Commit(P, 0, to, 1, null, null, 1, verdicts));
  }

  Sketch withModel(String model) {
    observations.set(
        0,
        new Observation.Begin(
            "sketch", "moves", 7, model, SPAN, null, Observation.Needs.LEAST, Map.of()));
    return this;
  }

  Sketch end() {
    return add(new Observation.End(observations.size()));
  }

  Result check() {
    return Checker.check(this);
  }
}
