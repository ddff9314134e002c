package dev.oncefold.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.NativeQuery;
import org.postgresql.core.Parser;
import org.postgresql.util.PSQLException;

/**
 * What an update of the user's gets of the batch's connection: all that reads and writes, nothing
 * that ends the transaction or outlives it. It notes the errors that are no fault of the event,
 * whatever the update makes of them.
 *
 * <p>Used by the thread that judges.
 */
final class UserConnection {
  private static final Set<String> REFUSED =
      Set.of(
          "commit",
          "setAutoCommit",
          "close",
          "abort",
          "setReadOnly",
          "setTransactionIsolation",
          "setCatalog",
          "setSchema",
          "setHoldability",
          "setClientInfo",
          "setNetworkTimeout",
          "setTypeMap",
          "setShardingKey",
          "beginRequest",
          "endRequest");
  private static final Set<String> ENDS_OR_OUTLIVES =
      Set.of(
          "begin",
          "start",
          "commit",
          "end",
          "rollback",
          "abort",
          "savepoint",
          "release",
          "prepare transaction",
          "reset",
          "discard");
  private static final String REFUSED_STATE = "2D000"; // invalid transaction termination

  private final BaseConnection raw;
  private final Connection given;
  private boolean active;
  private @Nullable SQLException noFault;

  UserConnection(Connection raw) throws SQLException {
    this.raw = raw.unwrap(BaseConnection.class);
    this.given = (Connection) proxy(Connection.class, raw);
  }

  /** The connection for one call of the update. */
  Connection give() {
    active = true;
    noFault = null;
    return given;
  }

  /** The update has returned: nothing that it kept is of use any more. */
  void takeBack() {
    active = false;
  }

  /** An error that says nothing about the event, or null. */
  @Nullable SQLException noFault() {
    return noFault;
  }

  /** Whether an error says nothing about the event: judged again, it may not come. */
  static boolean isNoFault(SQLException e) {
    String state = String.valueOf(e.getSQLState());
    return Session.trouble(e) == Session.Trouble.LOST
        || state.equals("40001")
        || state.equals("40P01")
        // Out of disk or memory; the system; the server itself.
        || state.startsWith("53")
        || state.startsWith("58")
        || state.startsWith("XX")
        // A plan kept for a table that was altered meanwhile.
        || (e instanceof PSQLException psql
            && psql.getServerErrorMessage() != null
            && "RevalidateCachedQuery".equals(psql.getServerErrorMessage().getRoutine()));
  }

  private Object proxy(Class<?> type, Object target) {
    return Proxy.newProxyInstance(
        UserConnection.class.getClassLoader(),
        new Class<?>[] {type},
        (self, method, arguments) -> call(target, method, arguments));
  }

  private @Nullable Object call(Object target, Method method, Object @Nullable [] arguments)
      throws Throwable {
    if (method.getDeclaringClass() != Object.class) {
      check(target, method, arguments);
    }
    try {
      return guarded(method.invoke(target, arguments));
    } catch (InvocationTargetException e) {
      Throwable thrown = e.getCause();
      if (thrown instanceof SQLException sql && isNoFault(sql) && noFault == null) {
        noFault = sql;
      }
      throw thrown;
    }
  }

  /** No way leads around this class to the connection itself. */
  private @Nullable Object guarded(@Nullable Object answer) {
    if (answer instanceof Connection) {
      return given;
    }
    if (answer instanceof CallableStatement) {
      return proxy(CallableStatement.class, answer);
    }
    if (answer instanceof PreparedStatement) {
      return proxy(PreparedStatement.class, answer);
    }
    if (answer instanceof Statement) {
      return proxy(Statement.class, answer);
    }
    if (answer instanceof ResultSet) {
      return proxy(ResultSet.class, answer);
    }
    return answer instanceof DatabaseMetaData ? proxy(DatabaseMetaData.class, answer) : answer;
  }

  private void check(Object target, Method method, Object @Nullable [] arguments)
      throws SQLException {
    String name = method.getName();
    if (!active && !(target instanceof Statement && name.equals("close"))) {
      throw new SQLException(
          "the connection was used outside the call of the update that it was given to",
          REFUSED_STATE);
    }
    boolean refused = name.equals("unwrap");
    if (target instanceof Connection) {
      refused |= REFUSED.contains(name);
      refused |= name.equals("rollback") && arguments == null;
    }
    if (refused) {
      String message =
          method.getDeclaringClass().getSimpleName()
              + "."
              + name
              + " is refused: the transaction, and the connection, are those of the whole batch. To"
              + " undo the event, reject it or throw";
      throw name.equals("setClientInfo") // which declares no other
          ? new SQLClientInfoException(message, REFUSED_STATE, Map.of())
          : new SQLException(message, REFUSED_STATE);
    }
    if (arguments != null && arguments.length > 0 && arguments[0] instanceof String sql) {
      if (name.startsWith("prepare") || name.startsWith("execute") || name.equals("addBatch")) {
        check(sql);
      }
    }
  }

  private void check(String sql) throws SQLException {
    boolean standard = raw.getStandardConformingStrings();
    for (NativeQuery statement :
        Parser.parseJdbcSql(sql, standard, true, true, false, false, new String[0])) {
      String words = firstWords(statement.nativeSql);
      String first = words.substring(0, (words + " ").indexOf(' '));
      boolean setsForLater =
          first.equals("set") && !words.equals("set local") && !words.equals("set constraints");
      if (setsForLater || ENDS_OR_OUTLIVES.contains(first) || ENDS_OR_OUTLIVES.contains(words)) {
        throw new SQLException(
            "the statement \""
                + words.toUpperCase(Locale.ROOT)
                + " …\" is refused: the transaction, and the connection, are those of the whole"
                + " batch. To undo the event, reject it or throw; for a savepoint use"
                + " Connection.setSavepoint, for a setting SET LOCAL",
            REFUSED_STATE);
      }
    }
  }

  /** The first two words of a statement, in lower case, without comments. */
  private static String firstWords(String statement) {
    char[] text = statement.toCharArray();
    StringBuilder words = new StringBuilder();
    int count = 0;
    for (int i = 0; i < text.length && count < 2; i++) {
      int comment = i;
      if (text[i] == '-') {
        comment = Parser.parseLineComment(text, i);
      } else if (text[i] == '/') {
        comment = Parser.parseBlockComment(text, i);
      }
      if (comment > i) {
        i = comment;
      } else if (Character.isLetter(text[i]) || text[i] == '_') {
        words.append(count == 0 ? "" : " ");
        while (i < text.length && (Character.isLetterOrDigit(text[i]) || text[i] == '_')) {
          words.append(text[i++]);
        }
        i--;
        count++;
      } else if (!Character.isWhitespace(text[i]) && text[i] != ';' && text[i] != '(') {
        break;
      }
    }
    return words.toString().toLowerCase(Locale.ROOT);
  }
}
