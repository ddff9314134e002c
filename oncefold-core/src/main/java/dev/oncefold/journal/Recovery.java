package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Disk;
import dev.oncefold.Fold;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Rebuilds a {@link Memory} from the newest snapshot that will do and the log behind it. Verdicts
 * are stored, so the user's code never runs again.
 *
 * @param <S> the type of one key's state
 */
final class Recovery<S> {
  private final Disk disk;
  private final Log log;
  private final Fold.Ids ids;
  private final Function<Definition, Codec<S>> stateCodecs;
  private final Snapshot.MemoryFactory<S> factory;
  private final Map<Definition, Codec<S>> codecs = new HashMap<>();
  private final EventRecord record = new EventRecord();
  private @Nullable Memory<S> memory;

  Recovery(
      Disk disk,
      Log log,
      Fold.Ids ids,
      Function<Definition, Codec<S>> stateCodecs,
      Snapshot.MemoryFactory<S> factory) {
    this.disk = disk;
    this.log = log;
    this.ids = ids;
    this.stateCodecs = stateCodecs;
    this.factory = factory;
  }

  static <S, E, O> Recovery<S> of(Disk disk, Log log, Fold<S, E, O> fold) {
    return new Recovery<>(
        disk,
        log,
        fold.ids(),
        written -> new Definition.Codecs<>(written, fold).state(),
        Memory::new);
  }

  /**
   * Where recovery can begin.
   *
   * @param name the snapshot's file
   * @param offset the offset of the log that it stands for
   * @param sequence how many events it covers
   */
  record Base(String name, long offset, long sequence) {}

  /** The snapshots, and the states from which rebuilt segments begin, oldest first. */
  static List<Base> bases(Disk disk, Log log) throws IOException {
    List<Base> bases = new ArrayList<>();
    for (String name : disk.list()) {
      if (name.endsWith(Snapshot.SUFFIX)) {
        Snapshot.Header header = Snapshot.readHeader(disk, name);
        Definition last = log.newestDefinition();
        if (header.definition().k0() != last.k0() || header.definition().k1() != last.k1()) {
          throw new JournalException(
              disk.path(name) + " is a snapshot of another journal. Move it away");
        }
        bases.add(new Base(name, header.offset(), header.sequence()));
      }
    }
    for (long segment : log.segmentStarts()) {
      String base = log.definition(segment).base();
      if (base != null) {
        bases.add(new Base(base, segment, Snapshot.readHeader(disk, base).sequence()));
      }
    }
    bases.sort(Comparator.comparingLong(Base::offset));
    return bases;
  }

  /** Loads everything and finds the end of the log, which can be appended to afterwards. */
  Memory<S> recover() throws IOException {
    long from = begin(Long.MAX_VALUE);
    log.recover(from, cursor -> frame(cursor, Long.MAX_VALUE));
    return memory();
  }

  /** Loads what stands before an offset of the log, up to a sequence. */
  Memory<S> load(long until, long sequence) throws IOException {
    long from = begin(sequence);
    try (Log.Cursor cursor = log.cursor(from, until)) {
      while (memory().sequence < sequence && cursor.next()) {
        frame(cursor, sequence);
      }
      if (memory().sequence < sequence && cursor.end() < until) {
        throw cursor.damage("no whole frame stands here, but it was durable");
      }
    }
    return memory();
  }

  private long begin(long sequence) throws IOException {
    Base best = null;
    for (Base base : bases(disk, log)) {
      if (base.sequence() <= sequence) {
        best = base;
      }
    }
    if (best == null) {
      if (log.start() != 0) {
        throw new JournalException(
            "the journal "
                + disk.path("")
                + " begins at offset "
                + log.start()
                + " of its log, and no snapshot stands for what was before. Restore the missing"
                + " files from a copy");
      }
      Definition first = log.definition(0);
      memory = factory.make(ids, first.k0(), first.k1());
      return 0;
    }
    memory = snapshot(best.name());
    return best.offset();
  }

  private Memory<S> snapshot(String name) throws IOException {
    return Snapshot.read(disk, name, ids, this::codec, factory);
  }

  private Codec<S> codec(Definition written) {
    return codecs.computeIfAbsent(written, stateCodecs);
  }

  private void frame(Log.Cursor cursor, long sequence) throws IOException {
    if (cursor.header().kind() == Frame.DEFINITION) {
      String base = cursor.definition().base();
      if (base != null) {
        memory = snapshot(base);
      }
    }
    if (cursor.header().kind() != Frame.COMMIT) {
      return;
    }
    Memory<S> into = memory();
    if (cursor.header().sequence() != into.sequence) {
      throw cursor.damage(
          cursor.at(),
          "the frame follows "
              + cursor.header().sequence()
              + " events, but "
              + into.sequence
              + " were read");
    }
    try {
      into.apply(
          new Decoder(cursor.body(), 0, cursor.header().length()),
          record,
          codec(cursor.definition()),
          new Memory.EventVisitor() {
            @Override
            public void event(EventRecord event, long number) {}

            @Override
            public boolean wants(long number) {
              return number < sequence || sequence == Long.MAX_VALUE;
            }
          });
    } catch (CodecException e) {
      throw new JournalException(
          "the frame at offset "
              + cursor.at()
              + " of the log in "
              + disk.path("")
              + " is whole, but cannot be decoded: "
              + e.getMessage()
              + ". If the fold's codec changed, open it with the codec that wrote it",
          e);
    }
  }

  private Memory<S> memory() {
    if (memory == null) {
      throw new IllegalStateException("recovery did not begin");
    }
    return memory;
  }
}
