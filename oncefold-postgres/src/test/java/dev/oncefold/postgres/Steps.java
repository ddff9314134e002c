package dev.oncefold.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.function.UnaryOperator;

/** Told before and after everything that a relay does to the world: there a test interferes. */
@FunctionalInterface
interface Steps {
  void at(String step);

  /** The process ends here: nothing catches it. */
  final class Killed extends Error {
    private static final long serialVersionUID = 1;

    Killed(String step) {
      super(step, null, false, false);
    }
  }

  /** Kills after a number of steps. */
  static Steps killingAfter(int steps) {
    int[] left = {steps};
    return step -> {
      if (left[0]-- == 0) {
        throw new Killed(step);
      }
    };
  }

  /** The connection, telling of its statements. */
  static Connection telling(Connection connection, Steps steps) {
    return proxy(
        Connection.class,
        (method, arguments) -> {
          Object answer = method.invoke(connection, arguments);
          return answer instanceof PreparedStatement statement ? telling(statement, steps) : answer;
        });
  }

  /** The connection, with other statements in place of those that are prepared. */
  static Connection rewriting(Connection connection, UnaryOperator<String> sql) {
    return proxy(
        Connection.class,
        (method, arguments) -> {
          if (method.getName().equals("prepareStatement")) {
            arguments[0] = sql.apply((String) arguments[0]);
          }
          return method.invoke(connection, arguments);
        });
  }

  private static PreparedStatement telling(PreparedStatement statement, Steps steps) {
    return proxy(
        PreparedStatement.class,
        (method, arguments) -> {
          boolean executes = method.getName().startsWith("execute");
          if (executes) {
            steps.at("sql " + statement);
          }
          Object answer = method.invoke(statement, arguments);
          if (executes) {
            steps.at("done " + statement);
          }
          return answer;
        });
  }

  private static <T> T proxy(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            Steps.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              try {
                return call.answer(method, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  /** A call of a method. */
  interface Call {
    Object answer(java.lang.reflect.Method method, Object[] arguments) throws Exception;
  }
}
