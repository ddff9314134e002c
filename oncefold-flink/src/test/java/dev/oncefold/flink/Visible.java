package dev.oncefold.flink;

import dev.oncefold.sandbox.Committed;
import dev.oncefold.verify.Observation;
import dev.oncefold.verify.TraceModel;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What anybody sees of the job in the cluster: what is committed, and what is sent. */
final class Visible implements AutoCloseable {
  private final String bootstrap;
  private final Admin admin;

  Visible(String bootstrap) {
    this.bootstrap = bootstrap;
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  /** By how many transactions one subtask is ahead of the other. */
  long ahead(int subtasks) throws Exception {
    Map<String, Long> committed = committed();
    return committed.size() < subtasks
        ? Long.MAX_VALUE
        : Collections.max(committed.values()) - Collections.min(committed.values());
  }

  /** The last transaction of each subtask that is committed. */
  Map<String, Long> committed() throws Exception {
    Map<String, Long> last = new TreeMap<>();
    for (TransactionListing each : admin.listTransactions().all().get()) {
      String[] name = each.transactionalId().split("-", -1);
      if (each.state() == TransactionState.COMPLETE_COMMIT && name[0].equals(CrashWorker.NAME)) {
        last.merge(name[1], Long.parseLong(name[2]), Math::max);
      }
    }
    return last;
  }

  /** Reads everything from the beginning, and tells it. */
  void read(Consumer<Observation> history) {
    Committed.read(
        bootstrap,
        List.of(CrashWorker.OUTPUTS, CrashWorker.REFUSALS),
        each -> history.accept(told(each)));
  }

  private static Observation told(ConsumerRecord<byte[], byte[]> record) {
    String key = Servers.text(record.key());
    String id = Servers.text(record.headers().lastHeader(FlinkJob.ID).value());
    String value = Servers.text(record.value());
    return record.topic().equals(CrashWorker.OUTPUTS)
        ? new Observation.Output("reader", TraceModel.OUTPUT, key, id, value)
        : new Observation.Refusal("reader", key, id, value.charAt(0));
  }

  @Override
  public void close() {
    admin.close();
  }
}
