package dev.oncefold.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A directory with a pipeline of accounts in it, and the commands on it. */
final class Accounts {
  static final String YAML =
      """
      name: accounts
      version: 1
      source: { file: payments.ndjson }
      types: { id: string, account: string, type: string, amount: decimal(2), at: time }
      event: { id: event.id, key: event.account, time: event.at, remember: P7D }
      state: { balance: decimal(2) 0.00, payments: int 0 }
      update:
        - reject: insufficient funds
          when: event.type == "withdraw" && state.balance < event.amount
        - set:
            balance: 'event.type == "withdraw" ? state.balance - event.amount : state.balance + event.amount'
            payments: state.payments + 1
        - emit: { account: event.account, balance: state.balance }
          to: receipts
      failed: stop
      store: { journal: data }
      outputs: { receipts: { file: receipts.ndjson } }
      refusals: { file: refused.ndjson }
      """;

  static final List<String> PAYMENTS =
      List.of(
          payment("p-1", "alice", "deposit", "10.00", 1),
          payment("p-2", "zoë", "deposit", "5.50", 2),
          payment("p-3", "alice", "withdraw", "2.25", 3),
          payment("p-1", "alice", "deposit", "10.00", 1),
          payment("p-4", "zoë", "withdraw", "100.00", 4),
          payment("p-2", "zoë", "deposit", "6.00", 2));

  private final Path directory;

  private Accounts(Path directory) {
    this.directory = directory;
  }

  static Accounts in(Path directory) {
    Accounts accounts = new Accounts(directory);
    accounts.pipeline(YAML).payments(PAYMENTS);
    return accounts;
  }

  static String payment(String id, String account, String type, String amount, int second) {
    return String.format(
        "{\"id\":\"%s\",\"account\":\"%s\",\"type\":\"%s\",\"amount\":%s,\"at\":\"2026-01-01T00:00:%02dZ\"}",
        id, account, type, amount, second);
  }

  Accounts pipeline(String yaml) {
    return write("accounts.yaml", yaml);
  }

  Accounts payments(List<String> lines) {
    return write("payments.ndjson", String.join("\n", lines) + "\n");
  }

  Accounts write(String name, String text) {
    try {
      Files.writeString(path(name), text);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path path(String name) {
    return directory.resolve(name);
  }

  String read(String name) {
    try {
      return Files.readString(path(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a command on the pipeline. */
  Command oncefold(String command, String... more) {
    return reading("", command, more);
  }

  /** Runs a command on the pipeline, with something on standard input. */
  Command reading(String standard, String command, String... more) {
    String[] args =
        Stream.concat(Stream.of(command, path("accounts.yaml").toString()), Stream.of(more))
            .toArray(String[]::new);
    Command run =
        Command.reading(new ByteArrayInputStream(standard.getBytes(StandardCharsets.UTF_8)), args);
    return new Command(run.exitCode(), tidy(run.out()), tidy(run.err()));
  }

  /** The same text on every machine, in every directory and at every speed. */
  private String tidy(String text) {
    return text.replace(directory + "/", "")
        .replaceAll("(?m)^  seconds +[\\d.]+$", "  seconds")
        .replaceAll("(?m)^  events/s +[\\d,]+$", "  events/s")
        .replaceAll("\"seconds\":[\\d.]+,\"eventsPerSecond\":\\d+", "\"seconds\":0");
  }
}
