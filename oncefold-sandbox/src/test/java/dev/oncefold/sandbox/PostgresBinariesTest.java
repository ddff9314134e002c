package dev.oncefold.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PostgresBinariesTest {
  @TempDir Path directory;

  private static Path unpacked(Path cache) {
    try {
      return PostgresBinaries.unpacked(cache);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theyAreUnpackedOnceByTwoAtTheSameTime() throws IOException {
    Path cache = directory.resolve("cache");
    List<CompletableFuture<Path>> both =
        Stream.generate(() -> CompletableFuture.supplyAsync(() -> unpacked(cache)))
            .limit(2)
            .toList();
    for (CompletableFuture<Path> one : both) {
      assertThat(one).succeedsWithin(Duration.ofMinutes(1));
    }
    Path there = both.get(0).join();
    assertThat(both.get(1).join()).isEqualTo(there);
    try (Stream<Path> all = Files.list(cache)) {
      assertThat(all).as("nothing half done").containsExactly(there);
    }
    assertThat(there.resolve("bin/postgres")).isExecutable();
  }

  @Test
  void programsAreNotRunFromWhereOthersMayWrite() throws IOException {
    Path cache = Files.createDirectory(directory.resolve("cache"));
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> PostgresBinaries.unpacked(cache))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(cache + " belongs to")
        .hasMessageContaining("rwxrwxrwx")
        .hasMessageContaining("set java.io.tmpdir");
  }

  @Test
  void thereAreThoseOfEachPlatform() {
    for (String os : List.of("Linux", "Mac OS X")) {
      for (String arch : List.of("amd64", "aarch64", "x86_64")) {
        String name = PostgresBinaries.resource(os, arch);
        assertThat(PostgresServer.class.getResource("/" + name)).as(name).isNotNull();
      }
    }
  }
}
