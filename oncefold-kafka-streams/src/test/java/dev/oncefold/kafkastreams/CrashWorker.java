package dev.oncefold.kafkastreams;

import dev.oncefold.verify.Beacon;
import dev.oncefold.verify.Letters;
import dev.oncefold.verify.TraceModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A worker of the crash run: an instance of the application, until it is killed. */
final class CrashWorker {
  static final String APPLICATION = "crash";
  static final String INPUT = "moves";
  static final String OUTPUTS = "traces";
  static final String REFUSALS = "refused";

  private CrashWorker() {}

  /** The settings of both applications, the fold's and the plain one. */
  static Map<String, Object> settings(String bootstrap, Path directory, String protocol) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("application.id", APPLICATION);
    settings.put("state.dir", directory.toString());
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
    // Shorter than the pauses of the rig.
    settings.put("producer.transaction.timeout.ms", "3000");
    settings.put("producer.linger.ms", "0");
    return settings;
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Works until it is killed.
   *
   * @param args the broker, the file of its beacon, a directory, and the protocol of the group
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
            .with(settings(args[0], Path.of(args[2]), args[3]))
            .start(new WatchedClients(beacon))) {
      run.await();
    }
  }
}
