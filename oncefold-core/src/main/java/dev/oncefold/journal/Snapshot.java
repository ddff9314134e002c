package dev.oncefold.journal;

import dev.oncefold.Codec;
import dev.oncefold.CodecException;
import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Disk;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;
import dev.oncefold.Slot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.CRC32C;

/**
 * All of the memory at one offset of the log, in a file of its own: blocks of (length, CRC-32C,
 * bytes), the first of which says what follows. It lets recovery begin there.
 *
 * @param <S> the type of one key's state
 */
final class Snapshot<S> {
  static final String SUFFIX = ".snapshot";
  private static final String MAGIC = "oncefold snapshot 1";
  private static final int BLOCK = 1 << 20;

  private final Definition definition;
  private final long sequence;
  private final long floor;
  private final Counts counts;
  private final Map<String, Memory.Partition> partitions = new LinkedHashMap<>();
  private final Map<String, Memory.SinkPosition> sinks;
  private final List<String> keys;
  private final List<Slot<S>> slots;
  private final IdTable ids;

  /** Copies what is to be written, so that it can be written while events go on. */
  Snapshot(Definition definition, Memory<S> memory) {
    this.definition = definition;
    this.sequence = memory.sequence;
    this.floor = memory.floor;
    this.counts = memory.tally.counts();
    memory.partitions.forEach(
        (name, partition) -> {
          Memory.Partition copy = new Memory.Partition();
          copy.position = partition.position;
          copy.epoch = partition.epoch;
          copy.watermark = partition.watermark;
          partitions.put(name, copy);
        });
    this.sinks = Map.copyOf(memory.sinks);
    this.keys = new ArrayList<>(memory.cells.size());
    this.slots = new ArrayList<>(memory.cells.size());
    memory.cells.forEach(
        (key, cell) -> {
          Slot<S> live = cell.live;
          if (live != null) {
            keys.add(key);
            slots.add(live);
          }
        });
    this.ids = memory.ids.copy();
  }

  /** How far each sink had got. */
  Map<String, Memory.SinkPosition> sinks() {
    return sinks;
  }

  /** Writes the file as of an offset of the log; it is there as a whole or not at all. */
  long write(Disk disk, String name, long offset, Codec<S> codec) throws IOException {
    String temporary = name + Log.TEMPORARY;
    try (Disk.Handle file = disk.create(temporary)) {
      Writer out = new Writer(file);
      header(offset, out.block);
      out.flush();
      for (int i = 0; i < keys.size(); i++) {
        out.block.writeString(keys.get(i)).writeUnsigned(slots.get(i).version());
        EventRecord.writeSized(codec, slots.get(i).state(), out.block);
        out.flushIfFull();
      }
      out.flush();
      IOException[] failure = new IOException[1];
      ids.forEach(
          (hi, lo, fingerprint, time, rejected) -> {
            out.block.writeLong(hi).writeLong(lo).writeLong(fingerprint).writeLong(time);
            out.block.writeNullableString(rejected);
            try {
              out.flushIfFull();
            } catch (IOException e) {
              failure[0] = failure[0] == null ? e : failure[0];
              out.block.truncate(0);
            }
          });
      if (failure[0] != null) {
        throw failure[0];
      }
      out.flush();
      file.sync();
      disk.rename(temporary, name);
      disk.sync();
      return out.at;
    } catch (IOException e) {
      deleteQuietly(disk, temporary);
      throw e;
    }
  }

  private static void deleteQuietly(Disk disk, String name) {
    try {
      disk.delete(name);
    } catch (IOException e) {
      // The disk has failed already; that failure is the one told. Opening deletes leftovers.
    }
  }

  private void header(long offset, Encoder out) {
    out.writeString(MAGIC);
    definition.encode(out);
    out.writeUnsigned(offset).writeUnsigned(sequence).writeSigned(floor);
    out.writeUnsigned(counts.applied()).writeUnsigned(counts.rejected());
    out.writeUnsigned(counts.duplicates()).writeUnsigned(counts.conflicts());
    out.writeUnsigned(counts.expired()).writeUnsigned(counts.failed());
    out.writeUnsigned(counts.outputs());
    out.writeUnsigned(partitions.size());
    partitions.forEach((name, partition) -> Memory.writePartition(name, partition, out));
    out.writeUnsigned(sinks.size());
    sinks.forEach((name, sink) -> Memory.writeSink(name, sink, out));
    out.writeUnsigned(keys.size()).writeUnsigned(ids.size());
  }

  /** What a snapshot's first block says, without the rest. */
  record Header(Definition definition, long offset, long sequence) {}

  static Header readHeader(Disk disk, String name) throws IOException {
    try (Disk.Handle file = disk.open(name, false)) {
      Reader in = new Reader(file, disk.path(name));
      return in.decoded(Snapshot::header);
    }
  }

  private static Header header(Decoder in) {
    String magic = in.readString();
    if (!magic.equals(MAGIC)) {
      throw new CodecException("it is no snapshot that this version of Oncefold reads");
    }
    return new Header(Definition.decode(in), in.readUnsigned(), in.readUnsigned());
  }

  /** Reads a snapshot into a new memory. */
  static <S> Memory<S> read(
      Disk disk,
      String name,
      Fold.Ids ids,
      Function<Definition, Codec<S>> codecs,
      MemoryFactory<S> factory)
      throws IOException {
    try (Disk.Handle file = disk.open(name, false)) {
      Reader in = new Reader(file, disk.path(name));
      long[] sizes = new long[2];
      Definition[] definition = new Definition[1];
      Memory<S> memory =
          in.decoded(
              block -> {
                Header header = header(block);
                definition[0] = header.definition();
                Memory<S> read =
                    factory.make(ids, header.definition().k0(), header.definition().k1());
                read.sequence = header.sequence();
                readRest(block, read, sizes);
                return read;
              });
      Codec<S> codec = codecs.apply(definition[0]);
      in.each(
          sizes[0],
          block -> {
            String key = block.readString();
            long version = block.readUnsigned();
            int length = block.readCount();
            Decoder state = new Decoder(block.array(), block.position(), length);
            memory.set(key, new Slot<>(codec.decode(state), version));
            block.skip(length);
          });
      in.each(
          sizes[1],
          block ->
              memory.ids.put(
                  block.readLong(),
                  block.readLong(),
                  block.readLong(),
                  block.readLong(),
                  block.readNullableString()));
      in.expectEnd();
      return memory;
    }
  }

  private static <S> void readRest(Decoder in, Memory<S> memory, long[] sizes) {
    memory.floor = in.readSigned();
    memory.tally.reset(
        new Counts(
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned(),
            in.readUnsigned()));
    int count = in.readCount();
    for (int i = 0; i < count; i++) {
      memory.readPartition(in);
    }
    count = in.readCount();
    for (int i = 0; i < count; i++) {
      memory.readSink(in);
    }
    sizes[0] = in.readUnsigned();
    sizes[1] = in.readUnsigned();
  }

  /** Makes the memory; tests make broken ones. */
  interface MemoryFactory<S> {
    Memory<S> make(Fold.Ids ids, long k0, long k1);
  }

  private static final class Writer {
    private final Disk.Handle file;
    private final Encoder block = new Encoder();
    private long at;

    Writer(Disk.Handle file) {
      this.file = file;
    }

    void flushIfFull() throws IOException {
      if (block.length() >= BLOCK) {
        flush();
      }
    }

    void flush() throws IOException {
      if (block.length() == 0) {
        return;
      }
      CRC32C crc = new CRC32C();
      crc.update(block.array(), 0, block.length());
      ByteBuffer head = ByteBuffer.allocate(8);
      head.putInt(block.length()).putInt((int) crc.getValue()).flip();
      file.write(at, head);
      file.write(at + 8, ByteBuffer.wrap(block.array(), 0, block.length()));
      at += 8L + block.length();
      block.truncate(0);
    }
  }

  private static final class Reader {
    private final Disk.Handle file;
    private final String path;
    private final long size;
    private long blockAt;
    private long at;
    private byte[] bytes = new byte[0];

    Reader(Disk.Handle file, String path) throws IOException {
      this.file = file;
      this.path = path;
      this.size = file.size();
    }

    interface Decoding<T> {
      T decode(Decoder in);
    }

    interface Item {
      void read(Decoder in);
    }

    <T> T decoded(Decoding<T> decoding) throws IOException {
      Decoder in = block();
      try {
        return decoding.decode(in);
      } catch (CodecException e) {
        throw damage(String.valueOf(e.getMessage()));
      }
    }

    void each(long count, Item item) throws IOException {
      Decoder in = new Decoder(bytes, 0, 0);
      for (long i = 0; i < count; i++) {
        if (in.remaining() == 0) {
          in = block();
        }
        try {
          item.read(in);
        } catch (CodecException e) {
          throw damage(String.valueOf(e.getMessage()));
        }
      }
      if (in.remaining() != 0) {
        throw damage(in.remaining() + " bytes are left over");
      }
    }

    void expectEnd() {
      if (at != size) {
        blockAt = at;
        throw damage((size - at) + " bytes are left over");
      }
    }

    private Decoder block() throws IOException {
      blockAt = at;
      ByteBuffer head = ByteBuffer.allocate(8);
      read(head);
      head.flip();
      int length = head.getInt();
      int crc = head.getInt();
      if (length < 0 || length > size - at) {
        throw damage("a block of " + length + " bytes does not fit the file");
      }
      if (bytes.length < length) {
        bytes = new byte[length];
      }
      read(ByteBuffer.wrap(bytes, 0, length));
      CRC32C found = new CRC32C();
      found.update(bytes, 0, length);
      if ((int) found.getValue() != crc) {
        throw damage("a checksum does not match");
      }
      return new Decoder(bytes, 0, length);
    }

    private void read(ByteBuffer into) throws IOException {
      while (into.hasRemaining()) {
        int read = file.read(at, into);
        if (read < 1) {
          throw damage("the file ends early");
        }
        at += read;
      }
    }

    private JournalException.Corrupt damage(String what) {
      return new JournalException.Corrupt(path, blockAt, what);
    }
  }
}
