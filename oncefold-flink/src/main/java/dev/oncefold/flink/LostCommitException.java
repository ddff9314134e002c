package dev.oncefold.flink;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * The cluster has thrown away a transaction with outputs of a checkpoint that is complete. The job
 * fails, and is not restarted: it would find the same transaction gone. The message says what is
 * missing and what to do.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class LostCommitException extends RuntimeException {
  private static final long serialVersionUID = 1;

  LostCommitException(String transaction, Throwable cause) {
    super(
        "the outputs in the transaction \""
            + transaction
            + "\" are lost: the checkpoint that they belong to is complete, and the cluster refuses"
            + " to commit them ("
            + cause
            + "). Most likely they waited longer than transaction.timeout.ms for that, because the"
            + " job or the brokers stood still; or another job has the same name. State and position"
            + " are past them. Start from a savepoint from before, with the offsets of the job's"
            + " group set back to it: then outputs since then are sent again, with the ids they had;"
            + " and give FlinkJob.transactionTimeout and the broker's transaction.max.timeout.ms"
            + " more time",
        cause);
  }
}
