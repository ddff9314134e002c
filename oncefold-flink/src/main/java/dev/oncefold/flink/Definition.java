package dev.oncefold.flink;

import dev.oncefold.Decoder;
import dev.oncefold.Encoder;
import dev.oncefold.Fold;

/**
 * Which fold wrote a state, and in which schemas. Each slot names the definition it was written
 * under. A definition that is written never changes; another one gets the next number.
 *
 * @param fold the fold's name
 * @param version the fold's version
 * @param ids how ids are remembered: a {@link Fold.Ids.Kind}
 * @param state the schema of states
 * @param event the schema of the values of events
 * @param output the schema of outputs
 * @param rules the text of the rules; empty where none was given
 */
record Definition(
    String fold, int version, String ids, String state, String event, String output, String rules) {
  private static final int FORMAT = 1;

  static Definition of(Fold<?, ?, ?> fold) {
    return new Definition(
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
   * @param accepting whether the user accepts a change
   * @throws FlinkFoldException.OtherRules if the user would have to
   */
  void admit(Fold<?, ?, ?> now, boolean accepting) {
    if (!fold.equals(now.name())) {
      throw new FlinkFoldException(
          "the checkpoint or savepoint holds the state of the fold \""
              + fold
              + "\", not of \""
              + now.name()
              + "\". Store it under another name (FlinkFold.storedAs), or start from another"
              + " savepoint");
    }
    if (!accepting && !equals(of(now))) {
      throw new FlinkFoldException.OtherRules(
          "the checkpoint or savepoint was written by version "
              + version
              + " of the fold \""
              + fold
              + "\", and this is version "
              + now.version()
              + (version == now.version() ? " with other rules, types or choice of ids" : "")
              + ". Run the version that wrote it, or accept the change"
              + " (FlinkFold.acceptingChange), or begin anew under another name");
    }
  }

  void write(Encoder out) {
    out.writeByte(FORMAT).writeString(fold).writeUnsigned(version).writeString(ids);
    out.writeString(state).writeString(event).writeString(output).writeString(rules);
  }

  static Definition read(Decoder in) {
    int format = in.readByte();
    if (format != FORMAT) {
      throw new FlinkFoldException(
          "the definition of the fold in the checkpoint is of format "
              + format
              + ", and "
              + FORMAT
              + " is known: a newer version of this library wrote it");
    }
    return new Definition(
        in.readString(),
        (int) in.readUnsigned(),
        in.readString(),
        in.readString(),
        in.readString(),
        in.readString(),
        in.readString());
  }
}
