package dev.oncefold.cli;

import java.nio.file.Path;

/** The directory of a demo: where everything in it stands. */
record Workplace(Path directory) {
  static Workplace at(Path directory) {
    return new Workplace(directory);
  }

  Path payments() {
    return directory.resolve("payments.csv");
  }

  /** The name of the payments as an input of the journal. */
  String partition() {
    return String.valueOf(payments().getFileName());
  }

  Path journal() {
    return directory.resolve("journal");
  }

  Path receipts() {
    return directory.resolve("receipts.csv");
  }

  Path refusals() {
    return directory.resolve("refusals.csv");
  }

  /** What the worker said, which is nothing unless something is wrong. */
  Path log() {
    return directory.resolve("worker.log");
  }

  Path beacon() {
    return directory.resolve("beacon");
  }
}
