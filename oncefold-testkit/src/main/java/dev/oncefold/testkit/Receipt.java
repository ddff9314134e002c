package dev.oncefold.testkit;

/**
 * What an applied event of the suite emits for each account that it changed.
 *
 * @param key the account
 * @param count how many events were applied to it
 * @param sum what it holds
 * @param memo the event's memo
 */
public record Receipt(String key, long count, long sum, String memo) {}
