package dev.oncefold.cli;

import dev.oncefold.Fold;
import dev.oncefold.pipeline.Rehearsal;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.Resends;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The input of a verification: events of the user's sample, or made for the pipeline, with re-sends
 * among them.
 *
 * @param file where it is
 * @param events how many lines it has
 * @param sampled how many records of a sample were read; 0 where the events are made up
 * @param kinds how many there are of each kind
 * @param notes what a person has to know of it
 */
record VerifyInput(
    Path file, int events, int sampled, Map<Resends.Kind, Integer> kinds, List<String> notes) {

  /** Makes it, the same for the same seed. */
  static VerifyInput make(Rehearsal rehearsal, long seed, int events, Path directory)
      throws IOException, InterruptedException {
    List<Rehearsal.Line> unreadable = rehearsal.unreadable();
    int firsts = Resends.firsts(events, rehearsal.recognisesResends(), !unreadable.isEmpty());
    Rehearsal.Lines lines = rehearsal.lines(seed, firsts, Clock.systemUTC());
    if (lines.lines().isEmpty()) {
      throw new Stop(
          "oncefold verify: there is no event to try: " + String.join("; ", lines.notes()));
    }
    int total = Math.min(events, lines.lines().size() + events - firsts);
    List<Resends.Sent<Rehearsal.Line>> sent =
        Resends.mixed(
            lines.lines(), new About(rehearsal), unreadable, total, span(rehearsal), seed);
    Map<Resends.Kind, Integer> kinds = new EnumMap<>(Resends.Kind.class);
    sent.forEach(one -> kinds.merge(one.kind(), 1, Integer::sum));
    Path file = directory.resolve(rehearsal.fileName());
    rehearsal.write(sent.stream().map(Resends.Sent::line).toList(), file);
    return new VerifyInput(
        file, sent.size(), lines.sampled(), kinds, new ArrayList<>(lines.notes()));
  }

  private static long span(Rehearsal rehearsal) {
    Fold.Ids ids = rehearsal.pipeline().fold().ids();
    if (!rehearsal.recognisesResends()) {
      return Observation.Begin.NO_IDS;
    }
    return ids.kind() == Fold.Ids.Kind.SPAN ? ids.span().toMillis() : Observation.Begin.FOREVER;
  }

  /** What it is, in a sentence. */
  String told() {
    return String.format(
        Locale.ROOT,
        "%,d events, %s; sent again: %,d at once, %,d later, %,d after their ids may be forgotten, %,d"
            + " with another payload; %,d lines that are no event",
        events,
        sampled == 0
            ? "made up from the types and rules"
            : String.format(Locale.ROOT, "from %,d records of the sample", sampled),
        kinds.getOrDefault(Resends.Kind.AT_ONCE, 0),
        kinds.getOrDefault(Resends.Kind.LATER, 0),
        kinds.getOrDefault(Resends.Kind.BEYOND, 0),
        kinds.getOrDefault(Resends.Kind.CHANGED, 0),
        kinds.getOrDefault(Resends.Kind.UNREADABLE, 0));
  }

  private record About(Rehearsal rehearsal) implements Resends.Lines<Rehearsal.Line> {
    @Override
    public boolean isRemembered(Rehearsal.Line line) {
      return line.isRemembered();
    }

    @Override
    public @Nullable Long time(Rehearsal.Line line) {
      return line.millis();
    }

    @Override
    public Rehearsal.@Nullable Line changed(Rehearsal.Line line, long seed) {
      return rehearsal.changed(line, seed);
    }
  }
}
