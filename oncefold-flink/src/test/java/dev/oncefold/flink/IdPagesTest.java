package dev.oncefold.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.oncefold.Remembered;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.flink.api.common.state.MapState;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class IdPagesTest {
  private static final long NONE_YET = Long.MIN_VALUE;

  private final InMemory stored = new InMemory();
  private final IdPages pages = new IdPages(stored, new Head.Secret(1, 2).hash());
  private int count;

  @Test
  void aKeyWithoutPagesIsNotLookedUp() throws Exception {
    assertThat(pages.find("alice", "e1", count, NONE_YET)).isNull();
    assertThat(stored.gets).isZero();
  }

  @Test
  void whatIsRememberedIsFoundAsItWas() throws Exception {
    remember("e1", 7, 1000, null, NONE_YET);
    remember("e2", 8, 2000, "insufficient funds: ä€", NONE_YET);
    remember("e3", 9, Long.MAX_VALUE, "", NONE_YET);
    assertThat(find("e1", NONE_YET)).isEqualTo(new Remembered(7, null));
    assertThat(find("e2", NONE_YET)).isEqualTo(new Remembered(8, "insufficient funds: ä€"));
    assertThat(find("e3", NONE_YET)).isEqualTo(new Remembered(9, ""));
    assertThat(find("e4", NONE_YET)).isNull();
    assertThat(pages.find("bob", "e1", count, NONE_YET)).isNull();
  }

  @Test
  void anEventCostsTwoPagesMoreAtMostAndPagesStaySmall() throws Exception {
    for (int i = 0; i < 20_000; i++) {
      stored.gets = 0;
      stored.puts = 0;
      remember("event-" + i, i, i, null, NONE_YET);
      assertThat(stored.gets).isLessThanOrEqualTo(2);
      assertThat(stored.puts).isLessThanOrEqualTo(3);
    }
    assertThat(count).isBetween(1_000, 4_000);
    // The one that is next to be split has waited longest.
    assertThat(stored.values().stream().mapToInt(page -> page.length).max().orElseThrow())
        .isLessThan(4 * IdPages.MOST_BYTES);
    for (int i = 0; i < 20_000; i++) {
      assertThat(find("event-" + i, NONE_YET)).isEqualTo(new Remembered(i, null));
    }
  }

  @Test
  void whatTheFloorHasPassedIsForgottenBeforeItIsRemoved() throws Exception {
    remember("e1", 1, 10, null, NONE_YET);
    assertThat(find("e1", 10)).isNull();
    // The same id with a later time, twice: it must not stand behind what is forgotten.
    remember("e1", 2, 30, null, 10);
    assertThat(find("e1", 10)).isEqualTo(new Remembered(2, null));
    assertThat(ids()).isEqualTo(1);
  }

  @Test
  void pagesShrinkAsTheFloorRisesUntilNoneIsLeft() throws Exception {
    for (int i = 0; i < 5_000; i++) {
      remember("event-" + i, i, i, null, NONE_YET);
    }
    int most = count;
    for (int floor : new int[] {3_500, 4_500, 4_990}) {
      count = pages.forget(count, floor);
      assertThat(count).isLessThan(most);
      most = count;
      assertThat(ids()).isEqualTo(4_999 - floor);
      for (int i = 0; i < 5_000; i++) {
        assertThat(find("event-" + i, floor) != null).isEqualTo(i > floor);
      }
    }
    assertThat(pages.forget(count, 4_999)).isZero();
    assertThat(stored.pages).isEmpty();
  }

  @Test
  void manyThingsInAnyOrderAreAsInAMap() throws Exception {
    for (int seed = 0; seed < 50; seed++) {
      stored.pages.clear();
      count = 0;
      SplittableRandom random = new SplittableRandom(seed);
      Map<String, Long> times = new HashMap<>();
      long floor = 0;
      for (int i = 0; i < 2_000; i++) {
        long time = floor + 1 + random.nextInt(1_000);
        String id = "e" + random.nextInt(3_000);
        Long known = times.get(id);
        boolean remembered = known != null && known > floor;
        assertThat(find(id, floor) != null).isEqualTo(remembered);
        if (!remembered) {
          remember(id, i, time, random.nextInt(9) == 0 ? "no".repeat(i % 40) : null, floor);
          times.put(id, time);
        }
        if (random.nextInt(200) == 0) {
          floor += random.nextInt(800);
          count = pages.forget(count, floor);
        }
      }
    }
  }

  private void remember(
      String id, long fingerprint, long time, @Nullable String rejected, long floor)
      throws Exception {
    assertThat(pages.find("alice", id, count, floor)).isNull();
    byte[] page = pages.with(fingerprint, time, rejected, floor);
    pages.put(page, count);
    count = IdPages.countWith(page, count);
  }

  private @Nullable Remembered find(String id, long floor) throws Exception {
    return pages.find("alice", id, count, floor);
  }

  private int ids() {
    int ids = 0;
    for (byte[] page : stored.values()) {
      IdPages.Ids each = new IdPages.Ids(page);
      while (each.next()) {
        ids++;
      }
    }
    return ids;
  }

  /** The pages of one key, without Flink. */
  private static final class InMemory implements MapState<Integer, byte[]> {
    final Map<Integer, byte[]> pages = new HashMap<>();
    int gets;
    int puts;

    @Override
    @SuppressWarnings("NullAway") // Flink's may answer null, too
    public byte[] get(Integer number) {
      gets++;
      return pages.get(number);
    }

    @Override
    public void put(Integer number, byte[] page) {
      puts++;
      pages.put(number, page);
    }

    @Override
    public void putAll(Map<Integer, byte[]> map) {
      map.forEach(this::put);
    }

    @Override
    public void remove(Integer number) {
      pages.remove(number);
    }

    @Override
    public boolean contains(Integer number) {
      return pages.containsKey(number);
    }

    @Override
    public Iterable<Map.Entry<Integer, byte[]>> entries() {
      return pages.entrySet();
    }

    @Override
    public Iterable<Integer> keys() {
      return pages.keySet();
    }

    @Override
    public java.util.Collection<byte[]> values() {
      return pages.values();
    }

    @Override
    public Iterator<Map.Entry<Integer, byte[]>> iterator() {
      return pages.entrySet().iterator();
    }

    @Override
    public boolean isEmpty() {
      return pages.isEmpty();
    }

    @Override
    public void clear() {
      pages.clear();
    }
  }
}
