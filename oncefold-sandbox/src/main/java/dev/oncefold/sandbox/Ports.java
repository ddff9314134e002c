package dev.oncefold.sandbox;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports of this machine for servers that come back on the same one. They are none of those that the
 * system gives to outgoing connections: such a one may be gone before the server is back, even to a
 * client that connects to it in vain and meets itself.
 */
final class Ports {
  private static final int FIRST = 15_000;
  private static final int LAST = 32_000;

  private Ports() {}

  /** The loopback address, on which every server here listens, and on no other. */
  static InetSocketAddress at(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  /** The address as clients write it. */
  static String text(InetSocketAddress address) {
    return address.getHostString() + ":" + address.getPort();
  }

  static List<Integer> free(int count) throws IOException {
    Set<Integer> found = new LinkedHashSet<>();
    for (int tried = 0; found.size() < count; tried++) {
      if (tried > LAST - FIRST) {
        throw new IOException("no free port found from " + FIRST + " to " + LAST);
      }
      int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
      try (ServerSocket free = new ServerSocket()) {
        free.bind(at(port));
        found.add(port);
      } catch (java.net.BindException e) {
        // Taken; the next one may not be.
      }
    }
    return List.copyOf(found);
  }
}
