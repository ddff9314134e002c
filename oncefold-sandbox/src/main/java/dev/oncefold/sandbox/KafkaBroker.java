package dev.oncefold.sandbox;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka broker in a process of its own, with Apache's own code and no Docker. It can be
 * killed and paused, and started again on the same directory and the same ports. It listens on this
 * machine alone, and never survives this program, however that ends, and paused or not.
 *
 * <pre>{@code
 * try (KafkaBroker broker = KafkaBroker.start(directory)) {
 *   properties.put("bootstrap.servers", broker.bootstrap());
 *   broker.kill();
 *   broker.restart();
 * }
 * }</pre>
 *
 * <p>It has two listeners. Clients of {@link #bootstrap} talk to the broker directly. Clients of
 * {@link #proxied} talk to whatever {@link #behind} names, a proxy with faults for example; those
 * who judge the outcome meanwhile use the first.
 *
 * <p>It is a cluster of its own, or one of the brokers of a {@link KafkaCluster}.
 *
 * <p>Safe for use by several threads; starts, ends and pauses wait for each other.
 */
public final class KafkaBroker implements AutoCloseable {
  /** How many ports each needs. */
  static final int PORTS = 3;

  /** A life too short for the optimizing compiler, unless {@link #javaOptions} says otherwise. */
  private static final List<String> SHORT_LIVED =
      List.of("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto");

  private final String name;
  private final Path directory;
  private final Path identity;
  private final Path log;
  private final InetSocketAddress direct;
  private final InetSocketAddress second;
  private final InetSocketAddress controller;
  private final TreeMap<String, String> settings = new TreeMap<>();
  private List<String> options = SHORT_LIVED;
  private InetSocketAddress advertised;
  private @Nullable ServerProcess process;

  /**
   * One that is not started.
   *
   * @param name what a message calls it
   * @param directory for all it writes
   * @param identity the file with the id of its cluster, made if absent
   * @param ports three of them
   */
  KafkaBroker(String name, Path directory, Path identity, List<Integer> ports) {
    this.name = name;
    this.directory = directory;
    this.identity = identity;
    log = directory.resolve("broker.log");
    direct = Ports.at(ports.get(0));
    second = Ports.at(ports.get(1));
    controller = Ports.at(ports.get(2));
    advertised = second;
  }

  /**
   * Starts a broker and waits until it is up.
   *
   * @param directory for all it writes, made if absent; what a broker has left there is taken over
   * @return the broker
   * @throws IOException if it does not come up: the message has the last lines of its log
   * @throws InterruptedException if interrupted
   */
  public static KafkaBroker start(Path directory) throws IOException, InterruptedException {
    return in(directory).start();
  }

  /**
   * A broker that is not started yet.
   *
   * @param directory for all it writes, made if absent; what a broker has left there is taken over
   * @return the broker, whose ports are chosen
   * @throws IOException if there is no directory, or no free port
   */
  public static KafkaBroker in(Path directory) throws IOException {
    Path made = Files.createDirectories(directory.toAbsolutePath().normalize());
    return new KafkaBroker("the Kafka broker", made, made.resolve("cluster.id"), Ports.free(PORTS));
  }

  /**
   * Sets what {@code server.properties} would have, from the next start on. Preset are replication
   * factors of 1, few partitions of Kafka's own topics, no delay of a group's first rebalance, and
   * a short session of the broker itself, so that it is soon back after a kill; the rest is as
   * Kafka has it.
   *
   * @param setting its name
   * @param value its value
   * @return this
   */
  public synchronized KafkaBroker with(String setting, String value) {
    settings.put(setting, value);
    return this;
  }

  /**
   * Sets the options of the broker's Java, from the next start on, in place of those for a short
   * life: a heap of 512 MB and no optimizing compiler.
   *
   * @param newOptions for example {@code -Xmx1g}
   * @return this
   */
  public synchronized KafkaBroker javaOptions(List<String> newOptions) {
    options = List.copyOf(newOptions);
    return this;
  }

  /**
   * Where clients of the second listener are sent, from the next start on: to a proxy, say, that
   * forwards to {@link #second}.
   *
   * @param proxy its address
   * @return this
   */
  public synchronized KafkaBroker behind(InetSocketAddress proxy) {
    advertised = proxy;
    return this;
  }

  /**
   * Starts it, for the first time or again, and waits until it is up.
   *
   * @return this
   * @throws IOException if it does not come up: the message has the last lines of its log
   * @throws InterruptedException if interrupted
   */
  public synchronized KafkaBroker start() throws IOException, InterruptedException {
    ServerProcess running = process;
    if (running != null && running.isAlive()) {
      throw new IllegalStateException(name + " is running already");
    }
    Path properties = directory.resolve("server.properties");
    try (Writer writer = Files.newBufferedWriter(properties)) {
      properties().store(writer, null);
    }
    Path up = directory.resolve("up");
    Files.deleteIfExists(up);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of(
            "-Dslf4j.provider=org.slf4j.simple.SimpleServiceProvider",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
            "-cp",
            classPath(),
            Broker.class.getName(),
            properties.toString(),
            clusterId(identity),
            up.toString()));
    ServerProcess starting = ServerProcess.start(name, log, "KILL", command);
    process = starting;
    starting.awaitUp(() -> Files.exists(up));
    return this;
  }

  private Properties properties() {
    Properties properties = new Properties();
    properties.put("process.roles", "broker,controller");
    properties.put("node.id", "1");
    properties.put("controller.quorum.voters", "1@" + Ports.text(controller));
    properties.put("controller.listener.names", "CONTROLLER");
    properties.put("inter.broker.listener.name", "DIRECT");
    properties.put(
        "listeners",
        "DIRECT://%s,PROXIED://%s,CONTROLLER://%s"
            .formatted(Ports.text(direct), Ports.text(second), Ports.text(controller)));
    properties.put(
        "advertised.listeners",
        "DIRECT://%s,PROXIED://%s".formatted(Ports.text(direct), Ports.text(advertised)));
    properties.put(
        "listener.security.protocol.map",
        "DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT");
    properties.put("log.dirs", directory.resolve("data").toString());
    properties.put("offsets.topic.replication.factor", "1");
    properties.put("transaction.state.log.replication.factor", "1");
    properties.put("transaction.state.log.min.isr", "1");
    properties.put("share.coordinator.state.topic.replication.factor", "1");
    properties.put("share.coordinator.state.topic.min.isr", "1");
    // A broker of one node makes and loads all their partitions itself; by default those are 50
    // each.
    properties.put("offsets.topic.num.partitions", "3");
    properties.put("transaction.state.log.num.partitions", "3");
    properties.put("share.coordinator.state.topic.num.partitions", "3");
    properties.put("group.initial.rebalance.delay.ms", "0");
    // A killed broker comes back only when the session of its former life is over; by default that
    // is 9 s.
    properties.put("broker.session.timeout.ms", "2000");
    properties.put("broker.heartbeat.interval.ms", "500");
    properties.putAll(settings);
    return properties;
  }

  /** The same one for every start. */
  static String clusterId(Path file) throws IOException {
    if (!Files.exists(file)) {
      Files.writeString(file, Uuid.randomUuid().toString());
    }
    return Files.readString(file);
  }

  /**
   * This program's own, and before it the loggers of the broker: whatever the program logs with,
   * and however much, the broker does it in its own way. That of {@code java -jar} is a jar which
   * names the others in its manifest; it does so in the broker's process, too.
   */
  private String classPath() throws IOException {
    List<String> path = new ArrayList<>();
    for (String jar : List.of("slf4j-api.jar", "slf4j-simple.jar")) {
      Path unpacked = directory.resolve(jar);
      try (InputStream packed = KafkaBroker.class.getResourceAsStream("broker/" + jar)) {
        if (packed == null) {
          throw new IOException("oncefold-sandbox was built without broker/" + jar);
        }
        Files.write(unpacked, packed.readAllBytes());
      }
      path.add(unpacked.toString());
    }
    Stream.of("java.class.path", "jdk.module.path")
        .map(System::getProperty)
        .filter(each -> each != null && !each.isEmpty())
        .forEach(path::add);
    return path.stream().collect(Collectors.joining(File.pathSeparator));
  }

  /**
   * Where clients connect directly: the same over all starts.
   *
   * @return the value of {@code bootstrap.servers}
   */
  public String bootstrap() {
    return Ports.text(direct);
  }

  /**
   * Where clients connect that are to go through the proxy: its address, or where there is none the
   * second listener's.
   *
   * @return the value of {@code bootstrap.servers}
   */
  public synchronized String proxied() {
    return Ports.text(advertised);
  }

  /**
   * Where the second listener listens: the target of a proxy. The same over all starts.
   *
   * @return an address of this machine
   */
  public InetSocketAddress second() {
    return second;
  }

  /**
   * The file with what it prints, appended to by every start.
   *
   * @return the file
   */
  public Path log() {
    return log;
  }

  /**
   * The number of its process.
   *
   * @return the process id of the last start
   */
  public synchronized long pid() {
    return process().pid();
  }

  /**
   * Whether its process lives.
   *
   * @return true of a paused one, too
   */
  public synchronized boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** What messages call it. */
  String name() {
    return name;
  }

  /** Where it takes part in the quorum. */
  InetSocketAddress controller() {
    return controller;
  }

  private ServerProcess process() {
    if (process == null) {
      throw new IllegalStateException(name + " was not started");
    }
    return process;
  }

  /**
   * Ends it by SIGKILL, paused or not, and waits for its death. One that is down stays so.
   *
   * @throws IOException if no process can be started to do it
   */
  public synchronized void kill() throws IOException {
    process().kill();
  }

  /**
   * Stops it by SIGSTOP: when this returns, none of its threads runs.
   *
   * @throws IOException if no process can be started to do it
   * @throws IllegalStateException if it is down, or paused already
   */
  public synchronized void pause() throws IOException {
    process().pause();
  }

  /**
   * Lets a paused one go on, by SIGCONT.
   *
   * @throws IOException if no process can be started to do it
   * @throws IllegalStateException if it is not paused
   */
  public synchronized void resume() throws IOException {
    process().resume();
  }

  /**
   * Kills it unless it is down, and starts it on the same directory and ports.
   *
   * @throws IOException if it does not come up: the message has the last lines of its log
   * @throws InterruptedException if interrupted
   */
  public synchronized void restart() throws IOException, InterruptedException {
    kill();
    start();
  }

  /** Kills it. What is in its directory stays. */
  @Override
  public synchronized void close() throws IOException {
    if (process != null) {
      process.kill();
    }
  }
}
