package dev.oncefold.flink;

import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Kernel;
import dev.oncefold.SipHash;
import dev.oncefold.journal.IdTable;
import java.io.Serializable;
import java.security.SecureRandom;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a subtask has stored beside its keys. Those of all subtasks together tell where to go on,
 * however many there will be.
 *
 * @param counts the counts of the subtask
 * @param floor its floor
 * @param oldest a time at or below that of each id it remembers
 * @param held how many events more it holds unjudged than it had released of those of others
 * @param definitions the definitions that slots name, by number
 * @param secret what ids are hashed with; null before anything is stored
 */
record Head(
    Counts counts,
    long floor,
    long oldest,
    long held,
    Map<Integer, Definition> definitions,
    @Nullable Secret secret) {
  static final Head NONE =
      new Head(Counts.NONE, Kernel.NO_FLOOR, IdTable.NO_TIME, 0, new TreeMap<>(), null);
  private static final int FORMAT = 2;

  /**
   * The key of the hash of ids. Drawn once for a job and kept with its state: who does not know it
   * cannot make up ids that are taken for one another.
   */
  record Secret(long k0, long k1) implements Serializable {
    private static final long serialVersionUID = 1;

    static Secret draw() {
      SecureRandom random = new SecureRandom();
      return new Secret(random.nextLong(), random.nextLong());
    }

    SipHash hash() {
      return new SipHash(k0, k1);
    }
  }

  /**
   * Both together. The floor is the higher one: what one subtask may have forgotten is forgotten,
   * whoever gets its keys.
   */
  Head plus(Head other) {
    Map<Integer, Definition> all = new TreeMap<>(definitions);
    all.putAll(other.definitions);
    return new Head(
        counts.plus(other.counts),
        Math.max(floor, other.floor),
        Math.min(oldest, other.oldest),
        held + other.held,
        all,
        secret != null ? secret : other.secret);
  }

  byte[] bytes() {
    Encoder out = new Encoder();
    out.writeByte(FORMAT);
    out.writeUnsigned(counts.applied()).writeUnsigned(counts.rejected());
    out.writeUnsigned(counts.duplicates()).writeUnsigned(counts.conflicts());
    out.writeUnsigned(counts.expired()).writeUnsigned(counts.failed());
    out.writeUnsigned(counts.outputs()).writeSigned(floor).writeSigned(oldest).writeSigned(held);
    out.writeUnsigned(definitions.size());
    definitions.forEach(
        (number, definition) -> {
          out.writeUnsigned(number);
          definition.write(out);
        });
    out.writeBoolean(secret != null);
    if (secret != null) {
      out.writeLong(secret.k0).writeLong(secret.k1);
    }
    return out.toByteArray();
  }

  static Head read(byte[] bytes) {
    Decoder in = new Decoder(bytes);
    int format = in.readByte();
    if (format != FORMAT) {
      throw new FlinkFoldException(
          "the fold's state in the checkpoint is of format "
              + format
              + ", and "
              + FORMAT
              + " is known: another version of this library wrote it");
    }
    Counts counts =
        new Counts(
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned());
    long floor = in.readSigned();
    long oldest = in.readSigned();
    long held = in.readSigned();
    Map<Integer, Definition> definitions = new TreeMap<>();
    for (int left = in.readCount(); left > 0; left--) {
      definitions.put((int) in.readUnsigned(), Definition.read(in));
    }
    Secret secret = in.readBoolean() ? new Secret(in.readLong(), in.readLong()) : null;
    return new Head(counts, floor, oldest, held, definitions, secret);
  }
}
