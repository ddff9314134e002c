package dev.oncefold.postgres;

/** The columns of the states of a fold. */
final class StateColumns {
  private StateColumns() {}

  static <S> Columns<S> of(S initial) {
    throw new IllegalArgumentException("columns of " + initial.getClass());
  }

  static <S> Columns<S> json(Class<S> type) {
    throw new IllegalArgumentException("a column of " + type);
  }
}
