package dev.oncefold.kafkastreams;

import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.TraceModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A worker of the crash run: an instance of the application, until it is killed. */
final class CrashWorker {
  static final String APPLICATION = "crash";
  static final String INPUT = "moves";
  static final String OUTPUTS = "traces";
  static final String REFUSALS = "refused";

  /** Behind the name of the beacon: the file with the id of the worker's transactions. */
  static final String TRANSACTION = ".transaction";

  private CrashWorker() {}

  /** The settings of both applications, the fold's and the plain one; by their arguments. */
  static Map<String, Object> settings(String[] args) {
    String protocol = args[3];
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", args[0]);
    settings.put("application.id", APPLICATION);
    settings.put("state.dir", args[2]);
    settings.put("commit.interval.ms", "40");
    settings.put("poll.ms", "10");
    settings.put("group.protocol", protocol);
    // With the protocol "streams" these are settings of the broker, and those of clients are not
    // taken.
    if (protocol.equals("classic")) {
      settings.put("num.standby.replicas", "1");
      settings.put("session.timeout.ms", String.valueOf(CrashRig.SESSION_MILLIS));
      settings.put("heartbeat.interval.ms", "300");
      settings.put("acceptable.recovery.lag", "100");
      settings.put("probing.rebalance.interval.ms", "60000");
    }
    settings.put("producer.transaction.timeout.ms", args[4]);
    settings.put("request.timeout.ms", String.valueOf(CrashRig.REQUEST_MILLIS));
    // Whoever assigns tasks asks the cluster, and where the broker that is asked stands still waits
    // for as long as this: a minute by default, in which the whole group does nothing.
    settings.put("admin.default.api.timeout.ms", "25000");
    settings.put("producer.linger.ms", "0");
    return settings;
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Works until it is killed.
   *
   * @param args the brokers, the file of its beacon, a directory, the protocol of the group, and
   *     how long a transaction may last, in milliseconds
   */
  public static void main(String[] args) throws Exception {
    Beacon beacon = Beacon.at(Path.of(args[1]));
    try (StreamsRun<TraceModel.Trace> run =
        StreamsApplication.of(
                args[0],
                APPLICATION,
                // Most states are in the changelog long before their commit, and some never get
                // one.
                StreamsFold.of(Moves.remembering()).partitionedByKey().keepingWaiting(1))
            .from(Moves::read, INPUT)
            .output(TraceModel.OUTPUT, OUTPUTS, emitted -> bytes(emitted.value()))
            .refusals(REFUSALS, entry -> bytes(String.valueOf(Letters.of(entry.verdict()))))
            .with(settings(args))
            .start(new WatchedClients(beacon, id -> write(Path.of(args[1] + TRANSACTION), id)))) {
      run.await();
    }
  }
}
