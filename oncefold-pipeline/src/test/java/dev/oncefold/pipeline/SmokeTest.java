package dev.oncefold.pipeline;

import dev.oncefold.Row;
import dev.oncefold.Runner;
import dev.oncefold.journal.Journal;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;

class SmokeTest {
  @Test
  void smoke() throws Exception {
    long t = System.nanoTime();
    Pipeline p = Pipeline.load(Path.of(System.getProperty("smoke")));
    System.out.println("loaded " + (System.nanoTime() - t) / 1000000 + " ms");
    System.out.println(p.fold().rules());
    try (Journal<Row, Row, String> j =
            Journal.open(p.store().journal(), p.fold(), p.store().options());
        var s = p.source(false)) {
      System.out.println(new Runner<>(j, p.fold(), List.of(s), Clock.systemUTC()).run());
      System.out.println(j.view());
      j.history(System.out::println);
    }
  }
}
