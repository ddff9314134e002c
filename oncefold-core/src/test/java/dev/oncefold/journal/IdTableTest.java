package dev.oncefold.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Remembered;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The table of ids against a map. */
class IdTableTest {
  record Id(long hi, long lo) {}

  record Kept(long fingerprint, long time, @Nullable String rejected) {}

  @Test
  void isAMap() {
    for (long seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      IdTable table = new IdTable(1, 2);
      Map<Id, Kept> map = new HashMap<>();
      for (int i = 0; i < 3000; i++) {
        // Low bits that are few, so that places are fought over; and the hash that looks free.
        long lo = (long) random.nextInt(4) << 40 | random.nextInt(700);
        Id id = new Id(random.nextInt(3), lo);
        if (random.nextInt(500) == 0) {
          long floor = random.nextInt(100);
          table.forget(floor);
          map.values().removeIf(kept -> kept.time() <= floor);
        } else {
          String rejected = random.nextInt(4) == 0 ? "reason " + random.nextInt(9) : null;
          Kept kept = new Kept(random.nextLong(), random.nextInt(100), rejected);
          // An id is put once, until it is forgotten.
          if (!id.equals(new Id(1, 0)) && !map.containsKey(id)) {
            table.put(id.hi(), id.lo(), kept.fingerprint(), kept.time(), kept.rejected());
            map.put(id, kept);
          }
        }
        assertThat(table.size()).isEqualTo(map.size());
      }
      map.forEach((id, kept) -> assertThat(table.find(id.hi(), id.lo())).isEqualTo(seen(kept)));
      for (int i = 0; i < 200; i++) {
        Id id = new Id(7, random.nextInt(700));
        assertThat(table.find(id.hi(), id.lo())).isNull();
      }
      assertThat(table.oldest())
          .isEqualTo(map.values().stream().mapToLong(Kept::time).min().orElse(IdTable.NO_TIME));
      Map<Id, Kept> copied = new HashMap<>();
      IdTable copy = table.copy();
      table.forget(Long.MAX_VALUE - 1);
      copy.forEach(
          (hi, lo, fingerprint, time, rejected) ->
              copied.put(
                  hi == 1 && lo == 0 ? new Id(0, 0) : new Id(hi, lo),
                  new Kept(fingerprint, time, rejected)));
      assertThat(copied).isEqualTo(map);
      assertThat(table.size()).isZero();
    }
  }

  private static Remembered seen(Kept kept) {
    return new Remembered(kept.fingerprint(), kept.rejected());
  }

  @Test
  void idsWithoutATimeAreNeverForgotten() {
    IdTable table = new IdTable(1, 2);
    table.put(1, 1, 5, IdTable.NO_TIME, null);
    table.put(2, 2, 5, 9, null);
    assertThat(table.oldest()).isEqualTo(9);
    table.forget(1000);
    assertThat(table.size()).isEqualTo(1);
    assertThat(table.find(1, 1)).isNotNull();
    assertThat(table.oldest()).isEqualTo(IdTable.NO_TIME);
  }

  @Test
  void tellsTheTimeBehindWhichAtMostSoManyIdsAre() {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      IdTable table = new IdTable(1, 2);
      List<Long> times = new ArrayList<>();
      int size = 2 + random.nextInt(30);
      for (int i = 0; i < size; i++) {
        long time = random.nextInt(12);
        table.put(i + 1, i, 0, time, null);
        times.add(time);
      }
      int most = 1 + random.nextInt(size - 1);
      long floor = table.timeToKeep(most);
      assertThat(times.stream().filter(time -> time > floor).count()).isLessThanOrEqualTo(most);
      assertThat(times.stream().filter(time -> time > floor - 1).count())
          .as("the least such time")
          .isGreaterThan(most);
    }
  }

  @Test
  void theHashDependsOnTheSecretKey() {
    IdTable one = new IdTable(1, 2);
    IdTable other = new IdTable(1, 3);
    long hi = one.hash("key", "id").hi();
    assertThat(other.hash("key", "id").hi()).isNotEqualTo(hi);
    assertThat(one.hash("key", "id").hi()).isEqualTo(hi);
  }
}
