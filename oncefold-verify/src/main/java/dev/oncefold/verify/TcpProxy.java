package dev.oncefold.verify;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A port on this machine that forwards to another one, with the faults of a network switched by
 * hand. In each direction there is at most one fault; it meets every connection, those that are
 * open and those to come, until it is ended, or the next one takes its place.
 *
 * <p>A client that dies does not take along what it had sent: that still arrives, as it may on a
 * real network. A server that dies resets its client.
 *
 * <p>Safe for use by several threads.
 */
public final class TcpProxy implements AutoCloseable {
  private static final int BACKLOG = 50;

  private final InetSocketAddress target;
  private final ServerSocket listener;
  private final Set<ProxiedConnection> connections = ConcurrentHashMap.newKeySet();

  /** Guards the faults. */
  private final ReentrantLock lock = new ReentrantLock();

  /** A fault has landed or is over. */
  private final Condition changed = lock.newCondition();

  private final Map<Direction, Fault> faults = new EnumMap<>(Direction.class);
  private final CountDownLatch shut = new CountDownLatch(1);
  private volatile boolean closed;

  /** Which way bytes go. */
  public enum Direction {
    /** From the client to the server. */
    REQUESTS,
    /** From the server to the client. */
    REPLIES
  }

  /**
   * What goes on of some bytes.
   *
   * @param length how many of them, from the first; 0 or less for none
   * @param cut whether the connection breaks after them
   */
  record Passed(int length, boolean cut) {}

  private enum Kind {
    HOLD,
    DROP,
    CUT,
    DELAY
  }

  private TcpProxy(InetSocketAddress target, ServerSocket listener) {
    this.target = target;
    this.listener = listener;
  }

  /**
   * Opens a port that forwards.
   *
   * @param target where the server listens
   * @return the proxy
   * @throws IOException if no port can be opened
   */
  public static TcpProxy to(InetSocketAddress target) throws IOException {
    TcpProxy proxy =
        new TcpProxy(target, new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress()));
    ProxiedConnection.start(proxy::accept);
    return proxy;
  }

  /**
   * Where clients connect.
   *
   * @return an address of this machine
   */
  public InetSocketAddress address() {
    return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
  }

  // ---------------------------------------------------------------- faults

  /** A fault that is on. */
  public final class Fault {
    private final Direction direction;
    private final Kind kind;

    /** How many nanoseconds, or how many bytes may still go through. */
    private long number;

    private long landed;
    private boolean over;

    private Fault(Direction direction, Kind kind, long number) {
      this.direction = direction;
      this.kind = kind;
      this.number = number;
    }

    /**
     * How many bytes it met: held, dropped, delayed, or cut off. The end of a stream counts as one.
     *
     * @return 0 if it has not landed
     */
    public long landed() {
      lock.lock();
      try {
        return landed;
      } finally {
        lock.unlock();
      }
    }

    /**
     * Waits until it has met something.
     *
     * @param most for how long
     * @return whether it has
     * @throws InterruptedException if interrupted
     */
    public boolean awaitLanded(Duration most) throws InterruptedException {
      lock.lock();
      try {
        for (long left = most.toNanos(); landed == 0; left = changed.awaitNanos(left)) {
          if (left <= 0) {
            return false;
          }
        }
        return true;
      } finally {
        lock.unlock();
      }
    }

    /** Ends it: what was held goes on, what comes after goes through. Twice does nothing. */
    public void end() {
      lock.lock();
      try {
        over = true;
        faults.remove(direction, this);
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }

    private void lands(int bytes) {
      landed += Math.max(1, bytes);
      changed.signalAll();
    }

    /** Meets bytes, or with -1 the end of a stream; answers what goes on of them. */
    private Passed meet(int length) {
      switch (kind) {
        case HOLD -> {
          lands(length);
          while (!over) {
            changed.awaitUninterruptibly();
          }
          return new Passed(length, false);
        }
        case DROP -> {
          lands(length);
          return new Passed(0, false);
        }
        case CUT -> {
          if (length <= number) {
            number -= Math.max(0, length);
            return new Passed(length, false);
          }
          int first = (int) number;
          lands(length - first);
          end();
          return new Passed(first, true);
        }
        case DELAY -> {
          lands(length);
          awaitOver(number);
          return new Passed(length, false);
        }
      }
      throw new AssertionError(kind);
    }

    private void awaitOver(long nanos) {
      try {
        for (long left = nanos; left > 0 && !over; ) {
          left = changed.awaitNanos(left);
        }
      } catch (InterruptedException e) {
        // Nobody knows the thread of a connection, and nobody interrupts it.
        throw new IllegalStateException(e);
      }
    }
  }

  /** What goes on of so many bytes that came, or with -1 of the end of a stream; waits if held. */
  Passed meet(Direction direction, int length) {
    lock.lock();
    try {
      Fault fault = faults.get(direction);
      return fault == null ? new Passed(length, false) : fault.meet(length);
    } finally {
      lock.unlock();
    }
  }

  private Fault put(Direction direction, Kind kind, long number) {
    lock.lock();
    try {
      Fault last = faults.get(direction);
      if (last != null) {
        last.end();
      }
      Fault fault = new Fault(direction, kind, number);
      faults.put(direction, fault);
      return fault;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Holds what comes, and the end of a stream, too, until the fault is ended; then it goes on,
   * though its sender may be gone.
   *
   * @param direction which way
   * @return the fault
   */
  public Fault hold(Direction direction) {
    return put(direction, Kind.HOLD, 0);
  }

  /**
   * Swallows what comes, and the end of a stream, too: a black hole one way. Nobody is told.
   *
   * @param direction which way
   * @return the fault
   */
  public Fault drop(Direction direction) {
    return put(direction, Kind.DROP, 0);
  }

  /**
   * Lets so many bytes through, in all connections together, and breaks the connection in which one
   * more comes: the receiver sees the end of the stream, the sender a reset. That happens once.
   * With 0, of replies: the request was answered, and the client will never know.
   *
   * @param direction which way
   * @param after how many bytes go through, 0 or more
   * @return the fault
   */
  public Fault cut(Direction direction, long after) {
    if (after < 0) {
      throw new IllegalArgumentException("after is " + after + ", and cannot be less than 0");
    }
    return put(direction, Kind.CUT, after);
  }

  /**
   * Lets what comes through later. What is sent at once may come in several parts; each waits.
   *
   * @param direction which way
   * @param by how much later
   * @return the fault
   */
  public Fault delay(Direction direction, Duration by) {
    return put(direction, Kind.DELAY, by.toNanos());
  }

  /**
   * Resets every open connection, on both sides. New ones can be made.
   *
   * @return how many there were
   */
  public int reset() {
    List<ProxiedConnection> open = List.copyOf(connections);
    open.forEach(ProxiedConnection::reset);
    return open.size();
  }

  /** Ends every fault, resets every connection, and closes the port. */
  @Override
  public void close() {
    closed = true;
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try {
      // The system closes a port when nobody waits at it any more.
      shut.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    reset();
    lock.lock();
    try {
      List.copyOf(faults.values()).forEach(Fault::end);
    } finally {
      lock.unlock();
    }
  }

  // ---------------------------------------------------------------- connections

  private void accept() {
    while (!closed) {
      try {
        Socket client = listener.accept();
        ProxiedConnection connection = new ProxiedConnection(this, client);
        connections.add(connection);
        connection.open(target);
        if (closed) {
          connection.reset();
        }
      } catch (IOException e) {
        // The proxy is closed, or the client has gone away again before it was here.
      }
    }
    shut.countDown();
  }

  void forget(ProxiedConnection connection) {
    connections.remove(connection);
  }
}
