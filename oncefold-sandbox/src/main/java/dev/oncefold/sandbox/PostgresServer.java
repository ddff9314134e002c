package dev.oncefold.sandbox;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL in processes of its own, with no Docker and nothing to install. It can be
 * crashed, stopped and paused, and started again on the same directory and the same port. It
 * listens on this machine alone, asks for a password, and never survives this program, however that
 * ends, and paused or not. It runs as the user of this program; of root, which it refuses to run
 * as, as nobody.
 *
 * <pre>{@code
 * try (PostgresServer server = PostgresServer.start(directory)) {
 *   server.createDatabase("shop");
 *   Connection connection = DriverManager.getConnection(server.jdbcUrl("shop"));
 *   server.kill();
 *   server.restart();
 * }
 * }</pre>
 *
 * <p>What is committed is on the disk: {@code fsync} and {@code synchronous_commit} are on, as they
 * are by default.
 *
 * <p>Safe for use by several threads; starts, ends and pauses wait for each other.
 */
public final class PostgresServer implements AutoCloseable {
  private static final String NAME = "PostgreSQL";
  private static final String USER = "postgres";

  /**
   * On Linux, nobody. It may read and write where only root may: directories for tests are often
   * root's alone.
   */
  private static final List<String> AS_NOBODY =
      List.of(
          "setpriv",
          "--reuid=65534",
          "--regid=65534",
          "--clear-groups",
          // Without it access(2), by which initdb looks for programs, goes by the user alone.
          "--securebits=+no_setuid_fixup",
          "--inh-caps=+dac_override",
          "--ambient-caps=+dac_override");

  private final Path directory;
  private final Path data;
  private final Path log;
  private final InetSocketAddress address;
  private final String password;
  private final TreeMap<String, String> settings = new TreeMap<>();
  private @Nullable ServerProcess process;

  private PostgresServer(Path directory, int port, String password) {
    this.directory = directory;
    data = directory.resolve("data");
    log = directory.resolve("postgres.log");
    address = Ports.at(port);
    this.password = password;
  }

  /**
   * Starts a database server and waits until it is up.
   *
   * @param directory for all it writes, made if absent; what a server has left there is taken over
   * @return the server
   * @throws IOException if it does not come up: the message has the last lines of its log
   * @throws InterruptedException if interrupted
   */
  public static PostgresServer start(Path directory) throws IOException, InterruptedException {
    return in(directory).start();
  }

  /**
   * A server that is not started yet.
   *
   * @param directory for all it writes, made if absent; what a server has left there is taken over
   * @return the server, whose port is chosen
   * @throws IOException if there is no directory, or no free port
   */
  public static PostgresServer in(Path directory) throws IOException {
    Path absolute = Files.createDirectories(directory.toAbsolutePath().normalize());
    return new PostgresServer(absolute, Ports.free(1).get(0), password(absolute));
  }

  /** The same one for every start on the directory. */
  private static String password(Path directory) throws IOException {
    Path file = directory.resolve("password");
    if (!Files.exists(file)) {
      byte[] random = new byte[16];
      new SecureRandom().nextBytes(random);
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(file, HexFormat.of().formatHex(random));
    }
    return Files.readString(file);
  }

  /**
   * Sets what {@code postgresql.conf} would have, from the next start on. Preset is that dynamic
   * shared memory is in files of the directory; the rest is as PostgreSQL has it.
   *
   * @param setting its name
   * @param value its value
   * @return this
   */
  public synchronized PostgresServer with(String setting, String value) {
    settings.put(setting, value);
    return this;
  }

  /**
   * Starts it, for the first time or again, and waits until it is up: after a crash, until it has
   * recovered.
   *
   * @return this
   * @throws IOException if it does not come up: the message has the last lines of its log
   * @throws InterruptedException if interrupted
   */
  public synchronized PostgresServer start() throws IOException, InterruptedException {
    ServerProcess running = process;
    if (running != null && running.isAlive()) {
      throw new IllegalStateException(NAME + " is running already");
    }
    Path programs = PostgresBinaries.unpacked().resolve("bin");
    if (!Files.exists(data.resolve("PG_VERSION"))) {
      ServerProcess.run(
          "initdb",
          log,
          asOrdinaryUser(
              List.of(
                  programs.resolve("initdb").toString(),
                  "--pgdata=" + data,
                  "--username=" + USER,
                  "--pwfile=" + directory.resolve("password"),
                  "--auth=scram-sha-256",
                  // The password is random and long: to hash it 4,096 times at each connection, as
                  // is usual, makes it no harder to guess.
                  "--set=scram_iterations=1",
                  "--encoding=UTF8",
                  "--locale=C",
                  "--no-sync",
                  "--no-instructions")));
    }
    List<String> command = new ArrayList<>();
    command.addAll(List.of(programs.resolve("postgres").toString(), "-D", data.toString()));
    TreeMap<String, String> all = new TreeMap<>();
    // In the directory, where it is no more than a file after a crash without a restart.
    all.put("dynamic_shared_memory_type", "mmap");
    all.putAll(settings);
    all.put("listen_addresses", address.getHostString());
    all.put("port", String.valueOf(address.getPort()));
    all.put("unix_socket_directories", "");
    all.forEach((setting, value) -> command.addAll(List.of("-c", setting + "=" + value)));
    // By QUIT it ends its own processes at once and removes its shared memory.
    ServerProcess starting = ServerProcess.start(NAME, log, "QUIT", asOrdinaryUser(command));
    process = starting;
    starting.awaitUp(() -> saysReady(starting.pid()));
    return this;
  }

  private static List<String> asOrdinaryUser(List<String> command) throws IOException {
    if (!System.getProperty("user.name").equals("root")) {
      return command;
    }
    if (!System.getProperty("os.name").equals("Linux")) {
      throw new IOException("PostgreSQL refuses to run as root: run this program as another user");
    }
    List<String> all = new ArrayList<>(AS_NOBODY);
    all.addAll(command);
    return all;
  }

  /** In which it tells its own tools; it removes the file when it ends other than by a crash. */
  private Path lock() {
    return data.resolve("postmaster.pid");
  }

  /** The first line is who, the eighth how it is. */
  private boolean saysReady(long pid) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(lock());
    } catch (NoSuchFileException e) {
      return false; // a file that a crashed server has left is taken away first
    }
    return lines.size() >= 8
        && lines.get(0).equals(String.valueOf(pid))
        && lines.get(7).strip().equals("ready");
  }

  /**
   * Creates an empty database.
   *
   * @param name its name, quoted here
   * @throws SQLException if it cannot be created, as when there is one of the name
   */
  public void createDatabase(String name) throws SQLException {
    try (Connection connection = DriverManager.getConnection(jdbcUrl(USER));
        PreparedStatement quote = connection.prepareStatement("SELECT format('%I', ?::text)");
        Statement create = connection.createStatement()) {
      quote.setString(1, name);
      try (ResultSet quoted = quote.executeQuery()) {
        quoted.next();
        create.execute("CREATE DATABASE " + quoted.getString(1));
      }
    }
  }

  /**
   * Where a database is, with the user and the password: the same over all starts.
   *
   * @param database its name; there is always {@code postgres}
   * @return a URL for JDBC
   */
  public String jdbcUrl(String database) {
    return jdbcUrl(database, address);
  }

  /**
   * The URL of a database that is reached another way.
   *
   * @param database its name
   * @param through for example a proxy that forwards to {@link #address}
   * @return a URL for JDBC
   */
  public String jdbcUrl(String database, InetSocketAddress through) {
    return "jdbc:postgresql://%s/%s?user=%s&password=%s"
        .formatted(
            Ports.text(through),
            URLEncoder.encode(database, StandardCharsets.UTF_8),
            USER,
            password);
  }

  /**
   * Where it listens: the same over all starts.
   *
   * @return an address of this machine
   */
  public InetSocketAddress address() {
    return address;
  }

  /**
   * Who may do everything.
   *
   * @return the name of the superuser
   */
  public String user() {
    return USER;
  }

  /**
   * What the user is known by.
   *
   * @return the password, made up for the directory
   */
  public String password() {
    return password;
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
   * The number of its first process.
   *
   * @return the process id of the last start
   */
  public synchronized long pid() {
    return process().pid();
  }

  /**
   * Whether its first process lives.
   *
   * @return true of a paused one, too
   */
  public synchronized boolean isAlive() {
    return process != null && process.isAlive();
  }

  private ServerProcess process() {
    if (process == null) {
      throw new IllegalStateException(NAME + " was not started");
    }
    return process;
  }

  /**
   * Ends all its processes by SIGKILL, paused or not, and waits for their deaths: a crash. One that
   * is down stays so.
   *
   * @throws IOException if no process can be started to do it
   */
  public synchronized void kill() throws IOException {
    process().kill();
  }

  /**
   * Ends it as {@code pg_ctl stop -m immediate} does, and waits for that: clients are told, nothing
   * is written, and the next start recovers as after a crash. A paused one goes on for that; one
   * that is down stays so.
   *
   * @throws IOException if no process can be started to do it
   */
  public synchronized void stopImmediately() throws IOException {
    process().end("QUIT");
  }

  /**
   * Stops all its processes by SIGSTOP: when this returns, none of them runs.
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
   * Kills it unless it is down, and starts it on the same directory and port.
   *
   * @throws IOException if it does not come up: the message has the last lines of its log
   * @throws InterruptedException if interrupted
   */
  public synchronized void restart() throws IOException, InterruptedException {
    kill();
    start();
  }

  /** Stops it immediately. What is in its directory stays. */
  @Override
  public synchronized void close() throws IOException {
    if (process != null) {
      process.end("QUIT");
      removeSharedMemory();
    }
  }

  /**
   * What a crash has left in the memory of the system, which has room for a few thousands: 56 bytes
   * by which a start sees whether a process of the life before is still there. The next start would
   * remove it, too.
   */
  private void removeSharedMemory() throws IOException {
    if (Files.exists(lock())) {
      List<String> lines = Files.readAllLines(lock());
      if (lines.size() >= 7) {
        String id = lines.get(6).strip().replaceFirst("\\d+\\s+", "");
        // Where it cannot be, that is no reason to fail.
        new ProcessBuilder("sh", "-c", "ipcrm -m $0", id)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .onExit()
            .join();
      }
    }
  }
}
