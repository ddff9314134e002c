package dev.oncefold.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PaymentFileTest {
  @TempDir Path directory;

  private Path written(String name, long seed, long events) throws IOException {
    Path file = directory.resolve(name);
    PaymentFile.write(file, seed, events);
    return file;
  }

  @Test
  void theSameSeedGivesTheSamePayments() throws IOException {
    Path one = written("one", 7, 20_000);
    assertThat(written("again", 7, 20_000)).hasSameBinaryContentAs(one);
    assertThat(Files.mismatch(written("other", 8, 20_000), one)).isNotNegative();
  }

  @Test
  void thePaymentsAreWhatTheDemoPromises() throws IOException {
    List<String> lines = Files.readAllLines(written("payments", 1, 200_000));
    assertThat(lines).hasSize(200_000);
    Set<String> accounts = new HashSet<>();
    Map<String, String> sent = new HashMap<>();
    int resent = 0;
    int changed = 0;
    long newest = 0;
    for (String line : lines) {
      String[] fields = line.split(",", -1);
      long time = Long.parseLong(fields[1]);
      accounts.add(fields[3]);
      String first = sent.putIfAbsent(fields[0], line);
      if (first == null) {
        assertThat(time).as("first deliveries are in order of time").isGreaterThanOrEqualTo(newest);
        newest = time;
      } else {
        resent++;
        changed += first.equals(line) ? 0 : 1;
        long late = newest - time;
        assertThat(
                late <= PaymentFile.SOON.plusHours(1).toMillis()
                    || late >= PaymentFile.LATE.toMillis())
            .as("whether %s is remembered must not depend on the batches", line)
            .isTrue();
      }
    }
    assertThat(accounts).hasSize(PaymentFile.ACCOUNTS);
    assertThat(resent).isBetween(10_000, 11_000);
    assertThat(changed).isBetween(1_500, 2_500);
  }

  @Test
  void everySortOfVerdictIsExpected() throws IOException {
    Path file = written("payments", 1, 200_000);
    try (Reference reference = new Reference(file)) {
      reference.readTo(Files.size(file));
      assertThat(reference.events).isEqualTo(200_000);
      assertThat(reference.applied).isGreaterThan(150_000);
      assertThat(reference.duplicates).isGreaterThan(5_000);
      assertThat(reference.conflicts).isGreaterThan(1_000);
      assertThat(reference.rejected).isGreaterThan(5_000);
      assertThat(reference.expired).isGreaterThan(100);
      assertThat(reference.failed).isPositive();
    }
  }
}
