package dev.oncefold.cli;

import java.io.PrintWriter;

/** Prints many lines in large pieces. */
final class ManyLines {
  private static final int PIECE = 1 << 16;

  private final PrintWriter out;
  private final StringBuilder piece = new StringBuilder();

  ManyLines(PrintWriter out) {
    this.out = out;
  }

  /** Takes the next line; answers where it is to be appended, without its end. */
  StringBuilder line() {
    if (piece.length() > 0) {
      piece.append('\n');
    }
    if (piece.length() > PIECE) {
      print();
    }
    return piece;
  }

  /** Whether nobody reads any more what is printed. */
  boolean areUnread() {
    return out.checkError();
  }

  /** Prints what is left. */
  void end() {
    if (piece.length() > 0) {
      piece.append('\n');
      print();
    }
    out.flush();
  }

  private void print() {
    out.print(piece);
    piece.setLength(0);
  }
}
