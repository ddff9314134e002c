package dev.oncefold.flink;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.jspecify.annotations.Nullable;

/**
 * Flink's own sink to Kafka, except that the job fails when a transaction cannot be committed that
 * has to be. Flink's counts it, and goes on.
 *
 * @param <T> the type of what is sent
 */
final class FoldSink<T>
    implements Sink<T>,
        SupportsWriterState<T, KafkaWriterState>,
        SupportsCommitter<KafkaCommittable>,
        SupportsPostCommitTopology<KafkaCommittable> {
  private static final long serialVersionUID = 1;

  private final KafkaSink<T> kafka;
  private final Owner owner;

  /**
   * A sink that does not lose.
   *
   * @param kafka the sink, exactly once, with transactions that are named anew for each checkpoint:
   *     only then can the cluster be asked what became of one whose commit is refused
   * @param owner who may commit
   */
  FoldSink(KafkaSink<T> kafka, Owner owner) {
    this.kafka = kafka;
    this.owner = owner;
  }

  @Override
  public SinkWriter<T> createWriter(WriterInitContext context) throws IOException {
    return kafka.createWriter(context);
  }

  @Override
  public StatefulSinkWriter<T, KafkaWriterState> restoreWriter(
      WriterInitContext context, Collection<KafkaWriterState> states) {
    return kafka.restoreWriter(context, states);
  }

  @Override
  public SimpleVersionedSerializer<KafkaWriterState> getWriterStateSerializer() {
    return kafka.getWriterStateSerializer();
  }

  @Override
  public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) {
    String job = context.getJobInfo().getJobId().toString();
    // Before the writer aborts what a former owner has left open, and before what that one left to
    // be committed is committed.
    owner.take(job);
    return new Committing(kafka.createCommitter(context), owner, job);
  }

  @Override
  public SimpleVersionedSerializer<KafkaCommittable> getCommittableSerializer() {
    return kafka.getCommittableSerializer();
  }

  @Override
  public void addPostCommitTopology(DataStream<CommittableMessage<KafkaCommittable>> committer) {
    kafka.addPostCommitTopology(committer);
  }

  /** Lets nothing pass for committed that is not. */
  @SuppressWarnings("try") // close is Flink's, and may be interrupted
  static final class Committing implements Committer<KafkaCommittable> {
    private final Committer<KafkaCommittable> kafka;
    private final Owner owner;
    private final String job;
    private @Nullable Cluster cluster;
    private boolean noted;

    Committing(Committer<KafkaCommittable> kafka, Owner owner, String job) {
      this.kafka = kafka;
      this.owner = owner;
      this.job = job;
    }

    private Cluster cluster() {
      Cluster open = cluster;
      if (open == null) {
        open = owner.connect();
        cluster = open;
      }
      return open;
    }

    @Override
    public void commit(Collection<CommitRequest<KafkaCommittable>> requests)
        throws IOException, InterruptedException {
      owner.check(cluster(), job);
      if (!noted && !requests.isEmpty()) {
        owner.sends(cluster());
        noted = true;
      }
      List<CommitRequest<KafkaCommittable>> watched = new ArrayList<>();
      requests.forEach(each -> watched.add(new Watched(each)));
      kafka.commit(watched);
      for (CommitRequest<KafkaCommittable> each : watched) {
        if (each instanceof Watched one && one.refused != null) {
          KafkaCommittable what = one.getCommittable();
          if (!owner.isCommitted(cluster(), what)) {
            throw new LostCommitException(what.toString(), one.refused);
          }
          one.signalAlreadyCommitted();
        }
      }
    }

    @Override
    public void close() throws Exception {
      if (cluster != null) {
        cluster.close();
      }
      kafka.close();
    }
  }

  private static final class Watched implements Committer.CommitRequest<KafkaCommittable> {
    private final Committer.CommitRequest<KafkaCommittable> request;
    private @Nullable Throwable refused;

    Watched(Committer.CommitRequest<KafkaCommittable> request) {
      this.request = request;
    }

    @Override
    public KafkaCommittable getCommittable() {
      return request.getCommittable();
    }

    @Override
    public int getNumberOfRetries() {
      return request.getNumberOfRetries();
    }

    /**
     * By this Flink lets a commit go. What it is told of may be done already: a job that goes on
     * from its last checkpoint commits again what was committed behind that, and brokers whose
     * transactions are of version 2 refuse the second time.
     */
    @Override
    public void signalFailedWithKnownReason(Throwable why) {
      refused = why;
    }

    @Override
    public void signalFailedWithUnknownReason(Throwable why) {
      request.signalFailedWithUnknownReason(why);
    }

    @Override
    public void retryLater() {
      request.retryLater();
    }

    @Override
    public void updateAndRetryLater(KafkaCommittable committable) {
      request.updateAndRetryLater(committable);
    }

    @Override
    public void signalAlreadyCommitted() {
      request.signalAlreadyCommitted();
    }
  }
}
