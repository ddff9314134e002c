package dev.oncefold.postgres;

import dev.oncefold.Position;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a batch finds when it begins, under the lock that keeps the floor and the id tables as they
 * are until its end. The times are null where there is none.
 *
 * @param revision the revision of the fold's definition
 * @param floor the floor
 * @param live the numbers of the id tables, the newest last
 * @param started the greatest watermark when the newest was made
 * @param epoch the newest claim on the batch's partition
 * @param position how far the partition is applied
 * @param batch how many commits it has had
 * @param watermark the greatest time Applied or Rejected in it
 * @param lagging whether another partition has unread input and no watermark yet
 * @param others the least watermark of the other partitions with unread input
 * @param newest how many ids the newest table has
 * @param newestLeast their least time
 * @param newestGreatest their greatest time
 * @param closed how many ids the other live tables have
 * @param closedLeast their least time
 */
record Head(
    int revision,
    long floor,
    List<Integer> live,
    @Nullable Long started,
    long epoch,
    Position position,
    long batch,
    @Nullable Long watermark,
    boolean lagging,
    @Nullable Long others,
    long newest,
    @Nullable Long newestLeast,
    @Nullable Long newestGreatest,
    long closed,
    @Nullable Long closedLeast) {}
