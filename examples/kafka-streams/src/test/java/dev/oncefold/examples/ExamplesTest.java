package dev.oncefold.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the programs print, run as they are. */
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class ExamplesTest {
  private interface Program {
    void run(PrintStream out) throws Exception;
  }

  private static List<String> printed(Program program) throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    program.run(new PrintStream(printed, true, StandardCharsets.UTF_8));
    return printed.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void ordersAreConvertedOnceEach() throws Exception {
    assertThat(printed(Convert::run))
        .hasSize(3)
        .last()
        .isEqualTo("7,700 records in. Out are 6,000 messages of 6,000 orders; 1,000 are refused");
  }

  @Test
  void accountsHoldWhatTheirPaymentsAddUpTo() throws Exception {
    assertThat(printed(Accounts::run))
        .hasSize(9)
        .last()
        .isEqualTo("6,600 records in. Out are 5,990 receipts; 10 payments are refused");
  }
}
