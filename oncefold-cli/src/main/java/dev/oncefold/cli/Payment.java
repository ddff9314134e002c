package dev.oncefold.cli;

/** What the demo's events are: money moves in, out, or from one account to another. */
sealed interface Payment {
  /** The account that pays, or is paid into where nobody pays. */
  String account();

  /** How much, in cents. */
  long cents();

  record Deposit(String account, long cents) implements Payment {}

  record Withdrawal(String account, long cents) implements Payment {}

  record Transfer(String account, String to, long cents) implements Payment {}
}
