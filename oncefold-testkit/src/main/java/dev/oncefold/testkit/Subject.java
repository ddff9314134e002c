package dev.oncefold.testkit;

import dev.oncefold.Event;
import dev.oncefold.Fold;
import dev.oncefold.Source;
import java.util.List;

/**
 * A fold and events to try it on. Other processes load the class by its name, so it has a
 * constructor that takes nothing or, where the check is given arguments, one that takes a {@code
 * String[]}. Neither needs to be public.
 *
 * <pre>{@code
 * final class Payments implements Subject<Account, Payment, Receipt> {
 *   public Fold<Account, Payment, Receipt> fold() { return Accounts.FOLD; }
 *   public List<Event<Payment>> events() { return SomePayments.ofSeed(1); }
 * }
 * }</pre>
 *
 * @param <S> the type of one key's state
 * @param <E> the type of the events' values
 * @param <O> the type of the outputs
 */
public interface Subject<S, E, O> {
  /**
   * The fold.
   *
   * @return the fold, a new one or the same
   */
  Fold<S, E, O> fold();

  /**
   * The events, in the order of the input; re-sends too. They are the same in every process.
   *
   * @return the events
   */
  List<Event<E>> events();

  /**
   * The input of a crash run: the events, one after another, at the positions 0, 1, 2 and so on.
   * For a subject that reads a file, the source of that file.
   *
   * @return a source of one partition, opened anew each time
   */
  default Source<E> source() {
    return new EventsSource<>(events());
  }

  /**
   * Makes a subject.
   *
   * @param type its class
   * @param arguments what its constructor is given; one that takes nothing is called without any
   * @return the subject
   * @throws IllegalArgumentException if it cannot be made; the message says what is missing
   */
  static Subject<?, ?, ?> of(Class<?> type, String... arguments) {
    String needed =
        arguments.length == 0
            ? "a constructor without parameters"
            : "a constructor that takes a String[]";
    try {
      var constructor =
          arguments.length == 0
              ? type.getDeclaredConstructor()
              : type.getDeclaredConstructor(String[].class);
      constructor.setAccessible(true);
      Object made =
          arguments.length == 0
              ? constructor.newInstance()
              : constructor.newInstance((Object) arguments);
      if (made instanceof Subject<?, ?, ?> subject) {
        return subject;
      }
      throw new IllegalArgumentException(type.getName() + " is no " + Subject.class.getName());
    } catch (NoSuchMethodException e) {
      throw new IllegalArgumentException(
          type.getName()
              + " has no such constructor: a subject needs "
              + needed
              + ", and must be a static class where it is nested",
          e);
    } catch (java.lang.reflect.InvocationTargetException e) {
      throw new IllegalArgumentException(
          "the constructor of " + type.getName() + " threw " + e.getCause(), e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(type.getName() + " cannot be made: " + e, e);
    }
  }
}
