package dev.oncefold.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that is really full, where the system has one; where not, that is told. */
class SmallDiskTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path directory;

  /** Where no small disk can be had, a test is reported as not run, with the reason. */
  private SmallDisk disk() throws IOException, InterruptedException {
    try {
      return SmallDisk.at(directory.resolve("small"), SIZE);
    } catch (NotRunException e) {
      assertThat(e).hasMessageContaining(SmallDisk.PROPERTY);
      return Assumptions.abort("not run: " + e.getMessage());
    }
  }

  private static void assertFillsUp(SmallDisk disk) throws IOException {
    Path file = disk.directory().resolve("file");
    assertThat(disk.free()).isGreaterThan(64_000);
    disk.fill(20_000);
    assertThat(disk.free()).isBetween(20_000L, 32_000L);
    Files.write(file, new byte[10_000]);
    assertThatThrownBy(() -> Files.write(file, new byte[64_000]))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("No space left");
    disk.makeRoom();
    Files.write(file, new byte[64_000]);
    assertThat(file).hasSize(64_000);
  }

  @Test
  void itFillsUpAndThereIsRoomAgain() throws IOException, InterruptedException {
    try (SmallDisk disk = disk()) {
      assertFillsUp(disk);
    }
    assertThat(directory.resolve("small")).as("unmounted").isEmptyDirectory();
  }

  @Test
  void oneThatIsThereAlreadyIsUsedAndLeftAsItWas() throws Exception {
    try (SmallDisk disk = disk()) {
      Path there = disk.directory();
      System.setProperty(SmallDisk.PROPERTY, there.toString());
      try (SmallDisk named = SmallDisk.at(directory.resolve("unused"), SIZE)) {
        assertThat(named.directory()).hasParent(there);
        assertFillsUp(named);
      } finally {
        System.clearProperty(SmallDisk.PROPERTY);
      }
      try (Stream<Path> left = Files.list(there)) {
        assertThat(left).isEmpty();
      }
      assertThat(directory.resolve("unused")).doesNotExist();
    }
  }

  @Test
  void aLargeDiskIsNotFilled() {
    System.setProperty(SmallDisk.PROPERTY, directory.toString());
    try {
      assertThatThrownBy(() -> SmallDisk.at(directory.resolve("unused"), SIZE))
          .isInstanceOf(NotRunException.class)
          .hasMessageContaining("is not filled");
    } finally {
      System.clearProperty(SmallDisk.PROPERTY);
    }
  }

  @Test
  void whatStandsInADirectoryIsNotHidden() throws IOException {
    Path used = Files.createDirectory(directory.resolve("used"));
    Files.createFile(used.resolve("precious"));
    assertThatThrownBy(() -> SmallDisk.at(used, SIZE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is not empty");
  }
}
