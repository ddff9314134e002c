package dev.oncefold.flink;

import dev.oncefold.Fold;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/** A fold that travels as what makes it, and is made once where it arrives. */
final class Shipped<S, E, O> implements Serializable {
  private static final long serialVersionUID = 1;

  private final Folding<S, E, O> folding;
  private transient volatile @Nullable Fold<S, E, O> fold;

  Shipped(Folding<S, E, O> folding) {
    this.folding = folding;
  }

  Fold<S, E, O> fold() {
    Fold<S, E, O> made = fold;
    if (made == null) {
      made = folding.fold();
      fold = made;
    }
    return made;
  }
}
