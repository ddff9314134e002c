package dev.oncefold.cli;

/**
 * What the fold emits for each account that a payment changed.
 *
 * @param account the account
 * @param change by how much, in cents
 * @param balance the balance afterwards, in cents
 */
record Receipt(String account, long change, long balance) {}
