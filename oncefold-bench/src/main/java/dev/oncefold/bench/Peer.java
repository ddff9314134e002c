package dev.oncefold.bench;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One way from a topic into a table. It reads {@link Rig#TOPIC} or another topic from its beginning
 * and changes the rows of {@link Rig#TABLE}, until it is stopped.
 */
interface Peer {
  /** The name of the variant, as {@code only=} takes it. */
  String name();

  /** What is to be there besides the table of {@link Rig}. */
  default List<String> tables() {
    return List.of();
  }

  /**
   * The column of the row {@link Rig#MARK} from which is read how many marks have been applied:
   * there is one that counts events, unless the peer cannot count.
   */
  default String marks() {
    return "payments";
  }

  /** Asks for how much is committed but has not left yet, as outputs; "" where nothing leaves. */
  default String leaving() {
    return "";
  }

  /** Starts to consume, on threads or in a process of its own. */
  void start(Rig rig, String topic) throws Exception;

  /** Fails if the peer has. */
  void check() throws Exception;

  /** What the peer says of itself, for one that gets no further. */
  default String says() throws IOException {
    return "";
  }

  /** Stops, and fails if the peer has failed. */
  void stop() throws Exception;

  /** A peer that is a loop on one thread. */
  abstract class Loop implements Peer {
    private volatile boolean stopping;
    private volatile @Nullable Throwable failure;
    private @Nullable Thread thread;

    abstract void run(Rig rig, String topic) throws Exception;

    boolean stopping() {
      return stopping;
    }

    @Override
    public void start(Rig rig, String topic) {
      Thread started =
          new Thread(
              () -> {
                try {
                  run(rig, topic);
                } catch (Throwable e) {
                  failure = e;
                }
              },
              name());
      started.start();
      thread = started;
    }

    @Override
    public void check() throws Exception {
      if (failure != null) {
        throw new IllegalStateException(name() + " failed", failure);
      }
    }

    @Override
    public void stop() throws Exception {
      stopping = true;
      if (thread != null) {
        thread.join();
      }
      check();
    }
  }
}
