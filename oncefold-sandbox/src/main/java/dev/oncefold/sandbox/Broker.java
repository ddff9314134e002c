package dev.oncefold.sandbox;

import java.io.IOException;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Time;

/** The main class of the broker's process: formats its directory if it is new, and runs it. */
final class Broker {
  private Broker() {}

  /**
   * Runs the broker, for ever.
   *
   * @param args the file with its settings, the id of its cluster, and the file to make when it is
   *     up
   */
  public static void main(String[] args) {
    Path settings = Path.of(args[0]);
    try {
      run(settings, args[1], Path.of(args[2]));
    } catch (Throwable e) {
      // Whatever it is: the log is what its starter shows.
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void run(Path settings, String cluster, Path up) throws IOException {
    String[] format = {
      "format", "--config", settings.toString(), "--cluster-id", cluster, "--ignore-formatted"
    };
    int code = StorageTool.execute(format, new PrintStream(System.err, true));
    if (code != 0) {
      throw new IOException("the directory cannot be formatted");
    }
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(settings)) {
      properties.load(reader);
    }
    KafkaRaftServer server =
        new KafkaRaftServer(KafkaConfig.fromProps(properties, false), Time.SYSTEM);
    server.startup();
    Files.write(up, List.of("up"), StandardCharsets.UTF_8);
    server.awaitShutdown();
  }
}
