package dev.oncefold.flink;

/** The value of the tests' events. */
record Paid(long cents) {}
