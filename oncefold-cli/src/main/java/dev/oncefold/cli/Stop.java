package dev.oncefold.cli;

/** A command cannot do what it was asked; the message says why and what to do. */
final class Stop extends RuntimeException {
  private static final long serialVersionUID = 1;

  Stop(String message) {
    super(message);
  }
}
