package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.oncefold.verify.TcpProxy.Direction;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each fault does to a small server and its client what its description says, and nothing else. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TcpProxyTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  /** What the server has read, a chunk each; {@code end} where a stream ended. */
  private final BlockingQueue<String> received = new LinkedBlockingQueue<>();

  private ServerSocket listener;
  private TcpProxy proxy;

  /** Answers every chunk of bytes with the same in capitals. */
  @BeforeEach
  void start() throws IOException {
    listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    proxy = TcpProxy.to(new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort()));
    daemon(
        () -> {
          while (true) {
            Socket socket = listener.accept();
            daemon(() -> serve(socket));
          }
        });
  }

  @AfterEach
  void stop() throws IOException {
    proxy.close();
    listener.close();
  }

  private interface Task {
    void run() throws IOException;
  }

  private static void daemon(Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (IOException e) {
                // The test is over.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  private void serve(Socket socket) throws IOException {
    byte[] chunk = new byte[100];
    try (socket) {
      for (int n = socket.getInputStream().read(chunk);
          n > 0;
          n = socket.getInputStream().read(chunk)) {
        String text = new String(chunk, 0, n, StandardCharsets.US_ASCII);
        received.add(text);
        socket
            .getOutputStream()
            .write(text.toUpperCase(Locale.ROOT).getBytes(StandardCharsets.US_ASCII));
      }
      received.add("end");
    } catch (SocketException e) {
      received.add("reset");
    }
  }

  private Socket connect() throws IOException {
    return new Socket(proxy.address().getAddress(), proxy.address().getPort());
  }

  private static void send(Socket client, String text) throws IOException {
    client.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String read(Socket client, int length) throws IOException {
    return new String(client.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
  }

  private static int readOne(Socket client) throws IOException {
    return client.getInputStream().read();
  }

  private String received() throws InterruptedException {
    return String.valueOf(received.poll(LONG.toSeconds(), TimeUnit.SECONDS));
  }

  /** Proves that everything works, on a new connection. */
  private void assertHealthy() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      send(client, "healthy");
      assertThat(received()).isEqualTo("healthy");
      assertThat(read(client, 7)).isEqualTo("HEALTHY");
      client.shutdownOutput();
      assertThat(received()).isEqualTo("end");
      assertThat(readOne(client)).isEqualTo(-1);
    }
  }

  @Test
  void withoutAFaultItForwards() throws IOException, InterruptedException {
    assertHealthy();
    try (Socket one = connect();
        Socket other = connect()) {
      send(one, "one");
      assertThat(received()).isEqualTo("one");
      send(other, "other");
      assertThat(received()).isEqualTo("other");
      assertThat(read(other, 5)).isEqualTo("OTHER");
      assertThat(read(one, 3)).isEqualTo("ONE");
    }
  }

  @Test
  void aReplyIsLostAfterTheRequestWasApplied() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      TcpProxy.Fault fault = proxy.cut(Direction.REPLIES, 0);
      assertThat(fault.landed()).isZero();
      send(client, "commit");
      assertThat(received()).as("it was applied").isEqualTo("commit");
      assertThat(readOne(client)).as("no byte of the reply").isEqualTo(-1);
      assertThat(fault.landed()).isEqualTo(6);
    }
    assertThat(received()).isEqualTo("reset");
    assertHealthy();
  }

  @Test
  void aRequestThatIsHeldArrivesLaterThoughItsSenderIsGone()
      throws IOException, InterruptedException {
    TcpProxy.Fault fault = proxy.hold(Direction.REQUESTS);
    Socket client = connect();
    send(client, "commit");
    assertThat(fault.awaitLanded(LONG)).isTrue();
    assertThat(fault.landed()).isEqualTo(6);
    client.setSoLinger(true, 0);
    client.close();
    assertThat(received).isEmpty();
    fault.end();
    assertThat(received()).isEqualTo("commit");
    assertThat(received()).isEqualTo("end");
    assertHealthy();
  }

  @Test
  void aHeldReplyComesWhenItIsReleased() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      TcpProxy.Fault fault = proxy.hold(Direction.REPLIES);
      send(client, "query");
      assertThat(fault.awaitLanded(LONG)).isTrue();
      assertThat(received()).isEqualTo("query");
      assertThat(client.getInputStream().available()).isZero();
      fault.end();
      fault.end();
      assertThat(read(client, 5)).isEqualTo("QUERY");
    }
  }

  @Test
  void aResetIsSeenOnBothSides() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      send(client, "hello");
      assertThat(received()).isEqualTo("hello");
      assertThat(read(client, 5)).isEqualTo("HELLO");
      assertThat(proxy.reset()).isEqualTo(1);
      assertThatThrownBy(() -> readOne(client)).isInstanceOf(SocketException.class);
      assertThat(received()).isEqualTo("reset");
    }
    assertThat(proxy.reset()).isZero();
    assertHealthy();
  }

  @Test
  void aBlackHoleSwallowsOneWayOnly() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      TcpProxy.Fault fault = proxy.drop(Direction.REPLIES);
      send(client, "first");
      assertThat(received()).isEqualTo("first");
      assertThat(fault.awaitLanded(LONG)).isTrue();
      assertThat(fault.landed()).isEqualTo(5);
      fault.end();
      send(client, "next");
      assertThat(read(client, 4)).as("the first reply is gone").isEqualTo("NEXT");
      assertThat(received()).isEqualTo("next");
      fault = proxy.drop(Direction.REQUESTS);
      send(client, "lost");
      assertThat(fault.awaitLanded(LONG)).isTrue();
      fault.end();
      send(client, "last");
      assertThat(received()).isEqualTo("last");
      assertThat(read(client, 4)).isEqualTo("LAST");
    }
  }

  @Test
  void aBlackHoleSwallowsTheEndToo() throws IOException, InterruptedException {
    TcpProxy.Fault fault = proxy.drop(Direction.REQUESTS);
    connect().close();
    assertThat(fault.awaitLanded(LONG)).isTrue();
    assertThat(fault.landed()).isEqualTo(1);
    assertThat(received).as("the server knows nothing of it").isEmpty();
    fault.end();
    assertHealthy();
  }

  @Test
  void aFrameIsCutInTheMiddle() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      TcpProxy.Fault fault = proxy.cut(Direction.REQUESTS, 8);
      send(client, "12345");
      assertThat(received()).isEqualTo("12345");
      assertThat(read(client, 5)).isEqualTo("12345");
      assertThat(fault.landed()).isZero();
      send(client, "67890");
      assertThat(received()).isEqualTo("678");
      assertThat(received()).isEqualTo("end");
      assertThat(fault.landed()).isEqualTo(2);
      // What this server answers to a part of a frame may arrive before the reset.
      assertThatThrownBy(() -> read(client, 4)).isInstanceOf(SocketException.class);
    }
    assertHealthy();
  }

  @Test
  void aReplyIsCutInTheMiddle() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      proxy.cut(Direction.REPLIES, 3);
      send(client, "reply");
      assertThat(read(client, 5)).isEqualTo("REP");
    }
    assertThat(received()).isEqualTo("reply");
    assertThat(received()).isEqualTo("reset");
    assertHealthy();
  }

  @Test
  void latencyDelaysEachWay() throws IOException, InterruptedException {
    Duration by = Duration.ofMillis(40);
    for (Direction direction : Direction.values()) {
      try (Socket client = connect()) {
        TcpProxy.Fault fault = proxy.delay(direction, by);
        long begin = System.nanoTime();
        send(client, "slow");
        assertThat(read(client, 4)).isEqualTo("SLOW");
        assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(by.toNanos());
        assertThat(fault.landed()).isEqualTo(4);
        fault.end();
        assertThat(received()).isEqualTo("slow");
        client.shutdownOutput();
        assertThat(received()).isEqualTo("end");
        assertThat(readOne(client)).isEqualTo(-1);
      }
    }
  }

  @Test
  void aDelayThatIsEndedIsOver() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      TcpProxy.Fault fault = proxy.delay(Direction.REQUESTS, Duration.ofDays(1));
      send(client, "slow");
      assertThat(fault.awaitLanded(LONG)).isTrue();
      fault.end();
      assertThat(read(client, 4)).isEqualTo("SLOW");
    }
  }

  @Test
  void theNextFaultOfADirectionTakesThePlaceOfTheLast() throws IOException, InterruptedException {
    try (Socket client = connect()) {
      TcpProxy.Fault hold = proxy.hold(Direction.REQUESTS);
      send(client, "held");
      assertThat(hold.awaitLanded(LONG)).isTrue();
      TcpProxy.Fault drop = proxy.drop(Direction.REQUESTS);
      assertThat(received()).isEqualTo("held");
      hold.end();
      send(client, "dropped");
      assertThat(drop.awaitLanded(LONG)).as("ended is the last one only").isTrue();
      drop.end();
    }
  }

  @Test
  void aFaultThatMeetsNothingHasNotLanded() throws IOException, InterruptedException {
    TcpProxy.Fault fault = proxy.hold(Direction.REQUESTS);
    try (Socket client = connect()) {
      assertThat(client.isConnected()).isTrue();
      assertThat(fault.awaitLanded(Duration.ofMillis(1))).isFalse();
    }
  }

  @Test
  void whereNobodyListensTheClientIsReset() throws IOException {
    InetSocketAddress nowhere;
    try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nowhere = new InetSocketAddress(unused.getInetAddress(), unused.getLocalPort());
    }
    try (TcpProxy useless = TcpProxy.to(nowhere);
        Socket client = new Socket(useless.address().getAddress(), useless.address().getPort())) {
      assertThatThrownBy(() -> readOne(client)).isInstanceOf(SocketException.class);
    }
  }

  @Test
  void closingResetsWhatIsHeld() throws IOException, InterruptedException {
    TcpProxy.Fault fault = proxy.hold(Direction.REQUESTS);
    try (Socket client = connect()) {
      send(client, "held");
      assertThat(fault.awaitLanded(LONG)).isTrue();
      proxy.close();
      assertThatThrownBy(() -> readOne(client)).isInstanceOf(SocketException.class);
      assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
    }
    assertThat(received()).as("nothing was let go by closing").isEqualTo("reset");
  }
}
