package dev.oncefold.flink;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import dev.oncefold.Slot;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * The form of stored slots: the number of the definition they were written under, the version of
 * the key, and the state as the fold's codec writes it. Older definitions are read as the codec
 * reads other schemas, so a state with fields that were added since gets them when it is read.
 *
 * @param <S> the type of one key's state
 */
final class Slots<S> {
  private final Fold<S, ?, ?> fold;
  private final TreeMap<Integer, Definition> definitions;
  private final Map<Integer, Codec<S>> codecs = new HashMap<>();
  private final int writing;
  private final Encoder scratch = new Encoder();

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

  Slot<S> slot(Cell<S> cell) {
    Slot<S> live = cell.live();
    if (live != null) {
      return live;
    }
    Decoder in = new Decoder(cell.bytes());
    int number = (int) in.readUnsigned();
    long version = in.readUnsigned();
    Codec<S> codec = codecs.get(number);
    if (codec == null) {
      throw new FlinkFoldException(
          "a state of the fold \"" + fold.name() + "\" names the unknown definition " + number);
    }
    return new Slot<>(codec.decode(in), version);
  }

  /** Throws what the codec throws of a state that cannot be written. */
  Cell<S> cell(Slot<S> slot) {
    scratch.truncate(0);
    scratch.writeUnsigned(writing).writeUnsigned(slot.version());
    fold.stateCodec().encode(slot.state(), scratch);
    return new Cell<>(scratch.toByteArray(), slot);
  }
}
