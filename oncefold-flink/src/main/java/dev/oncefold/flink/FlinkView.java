package dev.oncefold.flink;

import dev.oncefold.Counts;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.state.api.OperatorIdentifier;
import org.apache.flink.state.api.SavepointReader;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/**
 * What a job has committed: a checkpoint or savepoint of it, read without the job and without
 * touching it. Immutable.
 */
public final class FlinkView {
  private static final String METADATA = "_metadata";
  private static final int LOOKS = 20;

  private final String path;
  private final CheckpointMetadata metadata;

  private FlinkView(String path, CheckpointMetadata metadata) {
    this.path = path;
    this.metadata = metadata;
  }

  /**
   * Reads a checkpoint or savepoint.
   *
   * @param path its directory
   * @return the view
   * @throws IOException if there is none, or it cannot be read
   */
  public static FlinkView of(String path) throws IOException {
    Path file = new Path(path, METADATA);
    try (FSDataInputStream in = file.getFileSystem().open(file)) {
      return new FlinkView(
          path,
          Checkpoints.loadCheckpointMetadata(
              new DataInputStream(in), FlinkView.class.getClassLoader(), path));
    }
  }

  /**
   * Finds the last one of a job: of all that are complete below a directory, of whatever runs went
   * on from each other, the one that is numbered highest. It may be asked while the job runs.
   *
   * @param directory the directory that checkpoints and savepoints of the job go to; others may go
   *     there, too
   * @param name the name that the job's operators have: of a {@link FlinkJob} its own
   * @return the last one; null where there is none
   * @throws IOException if the directory cannot be read
   */
  public static @Nullable FlinkView last(String directory, String name) throws IOException {
    Path root = new Path(directory);
    IOException gone = null;
    for (int look = 0; look < LOOKS; look++) {
      try {
        return last(root.getFileSystem(), root, name);
      } catch (FileNotFoundException | NoSuchFileException e) {
        // The job goes on meanwhile, and removes those that were not the last any more.
        gone = e;
      }
    }
    throw new IOException("checkpoints in " + directory + " go away while they are read", gone);
  }

  private static @Nullable FlinkView last(FileSystem files, Path root, String name)
      throws IOException {
    FlinkView last = null;
    for (Path above : directories(files, root)) {
      List<Path> found = new ArrayList<>(directories(files, above));
      found.add(above); // a savepoint
      for (Path each : found) {
        if (files.exists(new Path(each, METADATA))) {
          FlinkView view = of(each.toString());
          if (view.isOf(name) && (last == null || view.number() > last.number())) {
            last = view;
          }
        }
      }
    }
    return last;
  }

  private static List<Path> directories(FileSystem files, Path above) throws IOException {
    List<Path> directories = new ArrayList<>();
    FileStatus[] all = files.exists(above) ? files.listStatus(above) : null;
    if (all != null) {
      for (FileStatus each : all) {
        if (each.isDir()) {
          directories.add(each.getPath());
        }
      }
    }
    return directories;
  }

  private boolean isOf(String name) {
    return metadata.getOperatorStates().stream()
        .anyMatch(operator -> operator.getOperatorUid().filter(name::equals).isPresent());
  }

  /** Which it is of those of its job, and of the jobs before that. */
  long number() {
    return metadata.getCheckpointId();
  }

  /**
   * Where it is.
   *
   * @return the directory, to start a job from
   */
  public String path() {
    return path;
  }

  /**
   * What the job had counted, since it first ran.
   *
   * @param name the name that the job's operators have
   * @return the counts
   * @throws IOException if they cannot be read
   */
  public Counts counts(String name) throws IOException {
    return head(name).counts();
  }

  /**
   * Refuses a fold that the state was not judged by, as a job that starts from here does.
   *
   * @param fold the fold, as the job has it
   * @throws FlinkFoldException.OtherRules if it has other rules, and does not accept the change
   * @throws FlinkFoldException if it is another fold
   * @throws IOException if the state cannot be read
   */
  public void admit(FlinkFold<?, ?, ?> fold) throws IOException {
    Head head = head(fold.name());
    if (!head.definitions().isEmpty()) {
      new Slots<>(fold.fold(), head.definitions(), fold.isAccepting());
    }
  }

  /**
   * The states, read by a job of its own. It needs {@code flink-state-processor-api}.
   *
   * @param environment where that job will run, with the backend that wrote them
   * @param fold the fold, as the job has it
   * @return each key with its version, an unsigned number, and its state behind that, as the fold's
   *     codec writes it now
   * @throws IOException if they cannot be read
   */
  public DataStream<Tuple2<String, byte[]>> slots(
      StreamExecutionEnvironment environment, FlinkFold<?, ?, ?> fold) throws IOException {
    return SavepointReader.read(environment, path)
        .readKeyedState(
            OperatorIdentifier.forUid(fold.name()),
            new SlotReader<>(fold, head(fold.name())),
            Types.STRING,
            Types.TUPLE(Types.STRING, Types.PRIMITIVE_ARRAY(Types.BYTE)));
  }

  Head head(String name) throws IOException {
    Head head = Head.NONE;
    for (byte[] each : bytes(name, Judging.HEAD)) {
      head = head.plus(Head.read(each));
    }
    return head;
  }

  /** The elements of a state of an operator, as bytes, of all subtasks. */
  List<byte[]> bytes(String uid, String state) throws IOException {
    List<byte[]> all = new ArrayList<>();
    for (OperatorState operator : metadata.getOperatorStates()) {
      if (operator.getOperatorUid().filter(uid::equals).isEmpty()) {
        continue;
      }
      for (OperatorSubtaskState subtask : operator.getStates()) {
        for (OperatorStateHandle handle : subtask.getManagedOperatorState()) {
          OperatorStateHandle.StateMetaInfo where =
              handle.getStateNameToPartitionOffsets().get(state);
          if (where == null) {
            continue;
          }
          try (FSDataInputStream in = handle.openInputStream()) {
            for (long offset : where.getOffsets()) {
              in.seek(offset);
              DataInputStream data = new DataInputStream(in);
              byte[] bytes = new byte[data.readInt()];
              data.readFully(bytes);
              all.add(bytes);
            }
          }
        }
      }
    }
    return all;
  }
}
