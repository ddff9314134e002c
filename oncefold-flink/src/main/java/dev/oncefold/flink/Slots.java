package dev.oncefold.flink;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The form of what is stored of a key: how many pages of ids it has, the time of its latest timer,
 * the number of the definition that its state was written under (0 where it has none), its version,
 * and the state as the fold's codec writes it. Older definitions are read as the codec reads other
 * schemas, so a state with fields that were added since gets them when it is read.
 *
 * @param <S> the type of one key's state
 */
final class Slots<S> {
  private final Fold<S, ?, ?> fold;
  private final TreeMap<Integer, Definition> definitions;
  private final Map<Integer, Codec<S>> codecs = new HashMap<>();
  private final int writing;
  private final Encoder scratch = new Encoder();
  private final Cell<S> empty = new Cell<>(this, null, 0, 0, 0);

  /**
   * Slots of a fold on what is stored.
   *
   * @param stored the definitions that are stored
   * @throws FlinkFoldException if the fold is refused on them
   */
  Slots(Fold<S, ?, ?> fold, Map<Integer, Definition> stored, boolean accepting) {
    this.fold = fold;
    this.definitions = new TreeMap<>(stored);
    Definition now = Definition.of(fold);
    if (definitions.isEmpty()) {
      definitions.put(1, now);
    } else {
      Definition last = definitions.lastEntry().getValue();
      last.admit(fold, accepting);
      if (!now.equals(last)) {
        definitions.put(definitions.lastKey() + 1, now);
      }
    }
    this.writing = definitions.lastKey();
    definitions.forEach((number, definition) -> codecs.put(number, codec(definition)));
  }

  private Codec<S> codec(Definition written) {
    try {
      return fold.stateCodec().reading(written.state(), fold.initial());
    } catch (CodecException e) {
      throw new FlinkFoldException(
          "the states that version "
              + written.version()
              + " of the fold \""
              + fold.name()
              + "\" stored cannot be read as those of version "
              + fold.version()
              + ": "
              + e.getMessage()
              + ". Keep the stored fields, or begin anew under another name",
          e);
    }
  }

  Map<Integer, Definition> definitions() {
    return definitions;
  }

  /** Reads what is stored of a key; nothing, where nothing is. */
  Cell<S> open(@Nullable Cell<S> stored) {
    if (stored == null) {
      return empty;
    } else if (stored.isOpen()) {
      return stored;
    }
    Decoder in = new Decoder(stored.bytes());
    int pages = (int) in.readUnsigned();
    long due = in.readUnsigned();
    int number = (int) in.readUnsigned();
    if (number == 0) {
      return new Cell<>(this, null, 0, pages, due);
    }
    long version = in.readUnsigned();
    Codec<S> codec = codecs.get(number);
    if (codec == null) {
      throw new FlinkFoldException(
          "a state of the fold \"" + fold.name() + "\" names the unknown definition " + number);
    }
    return new Cell<>(this, codec.decode(in), version, pages, due);
  }

  /** A new cell; throws what the codec throws of a state that cannot be written. */
  Cell<S> cell(@Nullable S state, long version, int pages, long due) {
    Cell<S> cell = new Cell<>(this, state, state == null ? 0 : version, pages, due);
    scratch.truncate(0);
    write(cell, scratch);
    return cell;
  }

  /** As a cell is stored. Any thread may ask. */
  byte[] bytes(Cell<S> cell) {
    Encoder out = new Encoder(64);
    write(cell, out);
    return out.toByteArray();
  }

  private void write(Cell<S> cell, Encoder out) {
    S state = cell.state();
    out.writeUnsigned(cell.pages()).writeUnsigned(cell.due());
    out.writeUnsigned(state == null ? 0 : writing);
    if (state != null) {
      out.writeUnsigned(cell.version());
      fold.stateCodec().encode(state, out);
    }
  }
}
