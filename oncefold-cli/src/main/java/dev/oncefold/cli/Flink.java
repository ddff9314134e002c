package dev.oncefold.cli;

import dev.oncefold.Counts;
import dev.oncefold.Decoder;
import dev.oncefold.Fold;
import dev.oncefold.Row;
import dev.oncefold.Slot;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Loads Flink in a class loader of its own. Its connector runs on older clients of Kafka than this
 * program has, and both have the same names.
 */
final class Flink {
  /** The property that names the file with Flink's class path. The launcher sets it. */
  static final String CLASS_PATH = "oncefold.flink";

  private static final String JOB = "dev.oncefold.flinkjob.LocalJob";
  private static @Nullable URLClassLoader loader;

  private Flink() {}

  /**
   * The job of a pipeline, which does not run yet.
   *
   * @param acceptChange whether to go on where the stored rules are others
   * @param refused positions of events that may fail
   * @throws Stop if Flink is not there
   */
  static FlinkSide side(Path pipeline, boolean acceptChange, Collection<String> refused) {
    Class<?> type = type();
    ClassLoader there = type.getClassLoader();
    try {
      Constructor<?> made = type.getConstructor(Path.class, boolean.class, Collection.class);
      Object job = in(there, () -> made.newInstance(pipeline, acceptChange, refused));
      return (FlinkSide)
          Proxy.newProxyInstance(
              FlinkSide.class.getClassLoader(),
              new Class<?>[] {FlinkSide.class},
              (proxy, method, arguments) ->
                  in(
                      there,
                      () ->
                          type.getMethod(method.getName(), method.getParameterTypes())
                              .invoke(job, arguments)));
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(JOB + " cannot be used from here", e);
    }
  }

  /** The class of what is on the other side. */
  static Class<?> type() {
    try {
      return Class.forName(JOB, true, loader());
    } catch (ClassNotFoundException e) {
      throw new Stop("engine: flink needs " + JOB + ", which is not where " + CLASS_PATH + " says");
    }
  }

  /** What is reflected upon. */
  private interface Call {
    Object call() throws ReflectiveOperationException;
  }

  /** Calls where libraries look for theirs by the thread's class loader. */
  private static Object in(ClassLoader there, Call call) throws Throwable {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(there);
    try {
      return call.call();
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private static synchronized ClassLoader loader() {
    URLClassLoader known = loader;
    if (known == null) {
      List<URL> urls = new ArrayList<>();
      for (Path each : classPath()) {
        try {
          urls.add(each.toUri().toURL());
        } catch (MalformedURLException e) {
          throw new IllegalStateException(each + " has no URL", e);
        }
      }
      known =
          new URLClassLoader(
              "flink", urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
      loader = known;
    }
    return known;
  }

  private static List<Path> classPath() {
    String file = System.getProperty(CLASS_PATH);
    if (file == null) {
      throw new Stop(
          "engine: flink needs Flink, and nothing says where it is: start this by the script"
              + " oncefold, or name the file oncefold-flink-job/target/class-path with -D"
              + CLASS_PATH
              + "=FILE");
    }
    List<Path> entries = new ArrayList<>();
    try {
      // What is named there is what the classes beside it need.
      entries.add(Path.of(file).toAbsolutePath().resolveSibling("classes"));
      for (String each : Files.readString(Path.of(file)).strip().split(File.pathSeparator, -1)) {
        entries.add(Path.of(each));
      }
    } catch (IOException e) {
      throw new Stop("engine: flink needs what " + file + " names, and it cannot be read: " + e);
    }
    for (Path each : entries) {
      if (!Files.exists(each)) {
        throw new Stop(
            "engine: flink needs "
                + each
                + ", which is gone: build again, with oncefold-flink-job among the modules");
      }
    }
    return entries;
  }

  /** Counts as the other side tells them. */
  static Counts counts(FlinkSide side) {
    long[] told = side.counts();
    return new Counts(told[0], told[1], told[2], told[3], told[4], told[5], told[6]);
  }

  /** The states of the last checkpoint. */
  static Map<String, Slot<Row>> states(FlinkSide side, Fold<Row, Row, String> fold)
      throws IOException, InterruptedException {
    Map<String, Slot<Row>> slots = new HashMap<>();
    side.states()
        .forEach(
            (key, bytes) -> {
              Decoder in = new Decoder(bytes);
              long version = in.readUnsigned();
              slots.put(key, new Slot<>(fold.stateCodec().decode(in), version));
            });
    return slots;
  }

  /** The end of what is told where other rules have judged what is stored. */
  static String acceptHint(PipelineFile given) {
    return "\nTo keep what was judged, and go on by the rules of the pipeline as they are now:\n  "
        + given.command("run")
        + " --accept-change";
  }
}
