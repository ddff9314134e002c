package dev.oncefold.kafkastreams;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;

/**
 * Which fold wrote a changelog, and in which schemas. Each slot names the definition it was written
 * under. A definition that is written never changes; another one gets the next number.
 *
 * @param k0 the first half of the secret key of the ids' hashes, the same in all definitions
 * @param k1 the second half
 * @param fold the fold's name
 * @param version the fold's version
 * @param ids how ids are remembered: a {@link Fold.Ids.Kind}
 * @param state the schema of states
 * @param event the schema of the values of events
 * @param output the schema of outputs
 * @param rules the text of the rules; empty where none was given
 */
record Definition(
    long k0,
    long k1,
    String fold,
    int version,
    String ids,
    String state,
    String event,
    String output,
    String rules) {
  private static final int FORMAT = 1;

  static Definition of(Fold<?, ?, ?> fold, long k0, long k1) {
    return new Definition(
        k0,
        k1,
        fold.name(),
        fold.version(),
        fold.ids().kind().name(),
        fold.stateCodec().schema(),
        fold.eventCodec().schema(),
        fold.outputCodec().schema(),
        fold.rules());
  }

  /**
   * Refuses a fold that did not write this.
   *
   * @param changelog the changelog's name
   * @param accepting whether the user accepts a change
   */
  void admit(Fold<?, ?, ?> now, String changelog, boolean accepting) {
    if (!fold.equals(now.name())) {
      throw new StreamsFoldException(
          "the changelog "
              + changelog
              + " is that of the fold \""
              + fold
              + "\", not of \""
              + now.name()
              + "\". Store it under another name (StreamsFold.storedAs), or run it under another"
              + " application id");
    }
    if (!accepting && !equals(of(now, k0, k1))) {
      throw new StreamsFoldException.OtherRules(
          "the changelog "
              + changelog
              + " was written by version "
              + version
              + " of the fold \""
              + fold
              + "\", and this is version "
              + now.version()
              + (version == now.version() ? " with other rules, types or choice of ids" : "")
              + ". Run the version that wrote it, or accept the change"
              + " (StreamsFold.acceptingChange), or begin anew under another application id");
    }
  }

  byte[] bytes() {
    Encoder out = new Encoder();
    out.writeByte(FORMAT).writeLong(k0).writeLong(k1).writeString(fold).writeUnsigned(version);
    out.writeString(ids).writeString(state).writeString(event).writeString(output);
    out.writeString(rules);
    return out.toByteArray();
  }

  static Definition read(Decoder in) {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new IllegalStateException(
          "the definition is of format " + format + ", and " + FORMAT + " is known");
    }
    return new Definition(
        in.readLong(),
        in.readLong(),
        in.readString(),
        (int) in.readUnsigned(),
        in.readString(),
        in.readString(),
        in.readString(),
        in.readString(),
        in.readString());
  }
}
