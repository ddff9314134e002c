package dev.oncefold.verify;

import dev.oncefold.verify.TcpProxy.Direction;
import dev.oncefold.verify.TcpProxy.Passed;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicInteger;

/** One connection of a {@link TcpProxy}: two sockets, and a thread for each direction. */
final class ProxiedConnection {
  private static final int CHUNK = 1 << 16;
  private static final int END = -1;

  private final TcpProxy proxy;
  private final Socket client;
  private final Socket server = new Socket();
  private volatile boolean broken;
  private final AtomicInteger open = new AtomicInteger(Direction.values().length);

  ProxiedConnection(TcpProxy proxy, Socket client) {
    this.proxy = proxy;
    this.client = client;
  }

  /** Connects, and forwards from then on. */
  void open(InetSocketAddress target) {
    start(
        () -> {
          try {
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            server.connect(target);
          } catch (IOException e) {
            // Nobody listens there: the client learns it, and not the tests of the proxy.
            reset();
            return;
          }
          start(() -> forward(Direction.REPLIES));
          forward(Direction.REQUESTS);
        });
  }

  static void start(Runnable what) {
    Thread thread = new Thread(what, "tcp-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  /** Breaks it on both sides; neither sees an end in place of that. */
  void reset() {
    broken = true;
    reset(client);
    reset(server);
    proxy.forget(this);
  }

  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      // It is closed already.
    }
    close(socket);
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // There is nothing more to lose in it.
    }
  }

  private void forward(Direction direction) {
    boolean requests = direction == Direction.REQUESTS;
    pump(direction, requests ? client : server, requests ? server : client);
    if (open.decrementAndGet() == 0) {
      close(client);
      close(server);
      proxy.forget(this);
    }
  }

  private void pump(Direction direction, Socket from, Socket to) {
    byte[] chunk = new byte[CHUNK];
    while (true) {
      int length = read(from, chunk);
      if (broken) {
        return;
      }
      Passed passed = proxy.meet(direction, length);
      if (passed.length() > 0) {
        write(to, chunk, passed.length());
      }
      if (passed.cut()) {
        // In this order: whoever sees the end may answer it, and that must not pass for a reset.
        reset(from);
        end(to);
        return;
      }
      if (length == END) {
        if (passed.length() == END) {
          end(to);
        }
        return;
      }
    }
  }

  /** The end of what a client sent, however it died; a server that is reset resets the client. */
  private int read(Socket from, byte[] chunk) {
    try {
      return from.getInputStream().read(chunk);
    } catch (IOException e) {
      if (from == server) {
        reset(client);
      }
      return END;
    }
  }

  /** What a client that is gone does not take is lost; a server that is gone resets the client. */
  private void write(Socket to, byte[] chunk, int length) {
    try {
      to.getOutputStream().write(chunk, 0, length);
    } catch (IOException e) {
      if (to == server) {
        reset(client);
      }
    }
  }

  private static void end(Socket to) {
    try {
      to.shutdownOutput();
    } catch (IOException e) {
      // It has ended already, in a harder way.
    }
  }
}
