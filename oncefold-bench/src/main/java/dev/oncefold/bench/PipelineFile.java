package dev.oncefold.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.oncefold.Counts;
import dev.oncefold.Event;
import dev.oncefold.FileSource;
import dev.oncefold.Fold;
import dev.oncefold.Outcome;
import dev.oncefold.Output;
import dev.oncefold.Runner;
import dev.oncefold.Source;
import dev.oncefold.journal.FileSink;
import dev.oncefold.journal.Journal;
import dev.oncefold.journal.Options;
import dev.oncefold.pipeline.Json;
import dev.oncefold.pipeline.Pipeline;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A pipeline file over a file of payments, beside the same fold in Java over the same file with the
 * same parser, in turn: A B A B. Both are durable, remember ids, and write one output an event.
 */
final class PipelineFile {
  private static final String YAML =
      """
      name: accounts
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
          to: outputs
      store: { journal: pipeline }
      outputs: { outputs: { file: pipeline.out.ndjson } }
      """;

  record Payment(String account, String type, BigDecimal amount) {}

  record Account(BigDecimal balance, long payments) {}

  record Receipt(String account, BigDecimal balance) {}

  private PipelineFile() {}

  static void run(Settings settings) throws IOException, InterruptedException {
    int count = settings.number("events", 1_000_000);
    int rounds = settings.number("rounds", 5);
    String only = settings.text("only", "");
    Path directory = settings.directory();
    write(directory, count, settings.number("accounts", 100_000));
    Map<String, double[]> rates = new LinkedHashMap<>();
    for (int round = -1; round < rounds; round++) {
      for (String variant : List.of("pipeline", "java", "read only")) {
        if (!variant.contains(only)) {
          continue;
        }
        long cpu = cpu();
        double seconds =
            switch (variant) {
              case "pipeline" -> pipeline(directory, count);
              case "java" -> java(directory, count);
              default -> readOnly(directory, count);
            };
        System.gc();
        if (round >= 0) { // the first round only warms up
          rates.computeIfAbsent(variant, v -> new double[rounds])[round] = count / seconds;
          System.out.printf(
              "round %d  %-12s  %,10.0f events/s  %.2f us of CPU an event%n",
              round + 1, variant, count / seconds, (cpu() - cpu) / 1e3 / count);
        }
      }
    }
    System.out.printf("%n%-12s  %12s  %12s  %12s%n", "median", "events/s", "least", "most");
    rates.forEach(
        (variant, rate) ->
            System.out.printf(
                "%-12s  %,12.0f  %,12.0f  %,12.0f%n",
                variant,
                Throughput.median(rate),
                Arrays.stream(rate).min().orElse(0),
                Arrays.stream(rate).max().orElse(0)));
    double[] yaml = rates.get("pipeline");
    double[] java = rates.get("java");
    if (yaml != null && java != null) {
      double[] ratio = new double[rounds];
      Arrays.setAll(ratio, i -> yaml[i] / java[i]);
      System.out.printf(
          "pipeline / java, round by round: median %.2f (%.2f to %.2f)%n",
          Throughput.median(ratio),
          Arrays.stream(ratio).min().orElse(0),
          Arrays.stream(ratio).max().orElse(0));
    }
    Settings.delete(directory);
  }

  /** What all threads of this process have had of the processors, in nanoseconds. */
  private static long cpu() {
    return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
        .getProcessCpuTime();
  }

  /** One run in a process of its own, for its time from start to end and its peak memory. */
  static void once(Settings settings) throws IOException, InterruptedException {
    int count = settings.number("events", 1_000_000);
    Path directory = settings.directory();
    write(directory, count, settings.number("accounts", 100_000));
    Path yaml = directory.resolve("pipeline.yaml");
    Files.writeString(
        yaml, Files.readString(yaml).replace("P7D", settings.text("remember", "P7D")));
    double seconds = pipeline(directory, count);
    Settings.delete(directory);
    System.out.printf(
        "%,d events in %.2f s, %,.0f events/s, %s%n", count, seconds, count / seconds, peak());
  }

  /**
   * Peak memory for a file and for one four times as long, with as many keys, and as many ids:
   * those of five minutes, at a millisecond an event. Each runs in a heap that would not hold the
   * file.
   */
  static void memory(Settings settings) throws IOException, InterruptedException {
    int count = settings.number("events", 1_000_000);
    for (int times : new int[] {1, 4}) {
      Process child =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:+UseParallelGC", // as the oncefold script does
                  "-Xmx" + settings.text("heap", "160m"),
                  "-cp",
                  System.getProperty("java.class.path"),
                  "dev.oncefold.bench.Main",
                  "pipeline-once",
                  "events=" + (long) count * times,
                  "remember=PT5M",
                  "dir=" + settings.text("dir", "target"))
              .inheritIO()
              .start();
      if (child.waitFor() != 0) {
        throw new IllegalStateException("the run failed");
      }
    }
  }

  private static String peak() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return "peak memory unknown here";
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .findFirst()
        .orElse("peak memory unknown")
        .replaceAll("\\s+", " ");
  }

  private static void write(Path directory, int count, int accounts) throws IOException {
    Files.writeString(directory.resolve("pipeline.yaml"), YAML);
    SplittableRandom random = new SplittableRandom(42);
    try (BufferedWriter out = Files.newBufferedWriter(directory.resolve("payments.ndjson"))) {
      String[] last = new String[1000];
      for (int i = 0; i < count; i++) {
        String line =
            i > last.length && random.nextInt(20) == 0
                ? last[random.nextInt(last.length)]
                : line(i, random.nextInt(accounts), random);
        last[i % last.length] = line;
        out.append(line).append('\n');
      }
    }
  }

  private static String line(int i, int account, SplittableRandom random) {
    long cents = 1L + random.nextInt(10_000);
    return "{\"id\":\"payment-"
        + i
        + "\",\"account\":\"account-"
        + account
        + "\",\"type\":\""
        + (random.nextInt(3) == 0 ? "withdraw" : "deposit")
        + "\",\"amount\":"
        + BigDecimal.valueOf(cents, 2)
        + ",\"at\":\""
        + Workload.BEGIN.plusMillis(i)
        + "\"}";
  }

  @SuppressWarnings("try") // the sink need only be open
  private static double pipeline(Path directory, int count)
      throws IOException, InterruptedException {
    Pipeline pipeline = Pipeline.load(directory.resolve("pipeline.yaml"));
    long begin = System.nanoTime();
    try (var journal =
            Journal.open(
                pipeline.journal().directory(), pipeline.fold(), pipeline.journal().options());
        var sink =
            FileSink.outputs(
                journal,
                Output.DEFAULT,
                directory.resolve("pipeline.out.ndjson"),
                (dev.oncefold.journal.Emitted<String> output) -> Json.line(output));
        Source<dev.oncefold.Row> source = pipeline.source(false)) {
      check(
          new Runner<>(journal, pipeline.fold(), List.of(source), Clock.systemUTC()).run(), count);
    }
    return clean(directory, "pipeline", begin);
  }

  private static double clean(Path directory, String name, long begin) throws IOException {
    double seconds = (System.nanoTime() - begin) / 1e9;
    Settings.delete(directory.resolve(name));
    Files.delete(directory.resolve(name + ".out.ndjson"));
    return seconds;
  }

  private static void check(Counts counts, int count) {
    if (counts.events() != count || counts.duplicates() == 0 || counts.failed() != 0) {
      throw new IllegalStateException("the run did not do its work: " + counts);
    }
  }

  // ---------------------------------------------------------------- the same in Java

  @SuppressWarnings("try") // the sink need only be open
  private static double java(Path directory, int count) throws IOException, InterruptedException {
    Fold<Account, Payment, Receipt> fold =
        Fold.of("accounts", Account.class, Payment.class, Receipt.class)
            .initially(new Account(new BigDecimal("0.00"), 0))
            .remembering(Duration.ofDays(7))
            .update(
                (account, event) -> {
                  Payment p = event.value();
                  boolean withdraws = p.type().equals("withdraw");
                  if (withdraws && account.balance().compareTo(p.amount()) < 0) {
                    return Outcome.reject("insufficient funds");
                  }
                  BigDecimal balance =
                      withdraws
                          ? account.balance().subtract(p.amount())
                          : account.balance().add(p.amount());
                  return Outcome.accept(
                      new Account(balance, account.payments() + 1),
                      new Receipt(p.account(), balance));
                });
    long begin = System.nanoTime();
    try (var journal = Journal.open(directory.resolve("java"), fold, Options.defaults());
        var sink =
            FileSink.outputs(
                journal,
                Output.DEFAULT,
                directory.resolve("java.out.ndjson"),
                (dev.oncefold.journal.Emitted<Receipt> output) ->
                    "{\"id\":\""
                        + output.id()
                        + "\",\"account\":\""
                        + output.value().account()
                        + "\",\"balance\":"
                        + output.value().balance().toPlainString()
                        + "}");
        FileSource<Payment> source =
            FileSource.ofBytes(directory.resolve("payments.ndjson"), PipelineFile::decode)) {
      check(new Runner<>(journal, fold, List.of(source), Clock.systemUTC()).run(), count);
    }
    return clean(directory, "java", begin);
  }

  private static final JsonFactory JSON = new JsonFactory();

  private static Event<Payment> decode(byte[] bytes, int from, int length) throws IOException {
    String id = "";
    String account = "";
    String type = "";
    BigDecimal amount = BigDecimal.ZERO;
    Instant at = Instant.EPOCH;
    try (JsonParser json = JSON.createParser(bytes, from, length)) {
      json.nextToken();
      String name;
      while ((name = json.nextFieldName()) != null) {
        JsonToken token = json.nextToken();
        switch (name) {
          case "id" -> id = json.getText();
          case "account" -> account = json.getText();
          case "type" -> type = json.getText();
          case "amount" -> amount = json.getDecimalValue().setScale(2);
          case "at" ->
              at = DateTimeFormatter.ISO_OFFSET_DATE_TIME.parse(json.getText(), Instant::from);
          default -> throw new IOException("unknown " + token);
        }
      }
    }
    return new Event<>(id, account, at, new Payment(account, type, amount));
  }

  /** Reads the file and makes an event of each line, and nothing more. */
  private static double readOnly(Path directory, int count) throws InterruptedException {
    Pipeline pipeline = Pipeline.load(directory.resolve("pipeline.yaml"));
    long begin = System.nanoTime();
    long events = 0;
    try (Source<dev.oncefold.Row> source = pipeline.source(false)) {
      source.seek(pipeline.partition(), dev.oncefold.Position.START);
      for (var polled = source.poll(512, Duration.ZERO);
          polled != null;
          polled = source.poll(512, Duration.ZERO)) {
        events += polled.events().size();
      }
    }
    if (events != count) {
      throw new IllegalStateException("read " + events + " of " + count);
    }
    return (System.nanoTime() - begin) / 1e9;
  }
}
