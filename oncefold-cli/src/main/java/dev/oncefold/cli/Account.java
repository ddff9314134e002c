package dev.oncefold.cli;

/**
 * The state of one account.
 *
 * @param cents the balance
 * @param payments how many payments changed it
 * @param trail a hash over those payments in their order: one lost, doubled or out of place changes
 *     it for ever
 */
record Account(long cents, long payments, long trail) {
  static final Account NEW = new Account(0, 0, 0);

  Account changed(String paymentId, long by) {
    return new Account(cents + by, payments + 1, (31 * trail + paymentId.hashCode()) * 31 + by);
  }
}
