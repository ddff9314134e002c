package dev.oncefold.pipeline;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The section {@code store}: where the state is kept. */
final class StoreSection {
  private static final String EXAMPLE = "\"store: { journal: data/accounts }\"";
  private static final String POSTGRES =
      "\"postgres: { url: jdbc:postgresql://localhost/bank, table: accounts }\"";
  private static final Map<String, String> ELSEWHERE =
      Map.of(
          "user", "write \"user: …\" beside properties",
          "password", "write \"password: ${env:PGPASSWORD}\" beside properties");

  private final Form root;
  private final Function<String, Path> resolved;
  private final Problems problems;

  private StoreSection(Form root, Function<String, Path> resolved, Problems problems) {
    this.root = root;
    this.resolved = resolved;
    this.problems = problems;
  }

  /**
   * Reads the section; null where there is no store, which has been told as a problem.
   *
   * @param resolved finds a file that the pipeline names
   */
  static @Nullable Storage read(Form root, Function<String, Path> resolved, Problems problems) {
    return new StoreSection(root, resolved, problems).store();
  }

  private @Nullable Storage store() {
    Node node = root.get("store");
    if (node == null) {
      problems.add(root.where(), "store is missing: write " + EXAMPLE);
      return null;
    }
    if (Form.key(node, "postgres") == null) {
      return journal(journalForm(node));
    }
    Form form = new Form("store", node, problems, "postgres", "journal", "history");
    Node.Scalar journal = form.key("journal");
    if (journal != null) {
      problems.add(journal, "the state is kept in one place: write journal or postgres, not both");
    }
    Node.Scalar history = form.key("history");
    if (history != null) {
      problems.add(
          history,
          "history goes with a journal only: PostgreSQL keeps the newest state, and no events");
    }
    return postgres(form);
  }

  private Form journalForm(Node node) {
    Node.Scalar keys = Form.key(node, "keys");
    if (keys == null) {
      return new Form("store", node, problems, "journal", "history", "postgres");
    }
    problems.add(
        keys, "keys goes with postgres only: a journal belongs to one process, which has all keys");
    return new Form("store", node, problems, "journal", "history", "postgres", "keys");
  }

  private Storage.@Nullable Journal journal(Form form) {
    Node.Scalar journal = form.required("journal", EXAMPLE);
    boolean history = form.choice("history", "full", "full", "none").equals("full");
    if (journal == null) {
      return null;
    }
    Path directory = resolved.apply(journal.text());
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      problems.add(journal, "the journal is a directory, and " + directory + " is a file");
    }
    return new Storage.Journal(directory, history);
  }

  private Storage.@Nullable Postgres postgres(Form store) {
    Node node = store.get("postgres");
    if (!(node instanceof Node.Mapping)) {
      // What stands there is not told: a connection string has a password in it at times.
      problems.add(
          node == null ? store.where() : node,
          "postgres names the database and the table: write " + POSTGRES);
      return null;
    }
    Form form =
        new Form(
            "store: postgres",
            node,
            problems,
            "url",
            "table",
            "key",
            "schema",
            "user",
            "password",
            "keys",
            "properties");
    String url = url(form);
    Node.Scalar table = form.required("table", POSTGRES);
    String key = form.text("key");
    String schema = form.text("schema");
    boolean shared = form.choice("keys", "owned", "owned", "shared").equals("shared");
    Map<String, String> properties = new LinkedHashMap<>();
    for (String name : new String[] {"user", "password"}) {
      if (form.get(name) instanceof Node.Scalar scalar && !scalar.text().isBlank()) {
        String value = SettingsSection.value(scalar, resolved, problems);
        if (value != null) {
          properties.put(name, value);
        }
      } else if (form.has(name)) {
        problems.add(
            form.where(),
            "store: postgres: " + name + " is a text, such as ${env:PG" + upper(name));
      }
    }
    properties.putAll(SettingsSection.read(form, ELSEWHERE, resolved, problems).values());
    if (url == null || table == null) {
      return null;
    }
    return new Storage.Postgres(
        url,
        table.text(),
        key == null ? "key" : key,
        schema == null ? "oncefold" : schema,
        shared ? Storage.Keys.SHARED : Storage.Keys.OWNED,
        new Settings(properties));
  }

  private static String upper(String name) {
    return name.toUpperCase(Locale.ROOT) + "}";
  }

  /** The database; null where it cannot be used, which has been told. */
  private @Nullable String url(Form form) {
    Node.Scalar url = form.required("url", "\"url: jdbc:postgresql://localhost/bank\"");
    if (url == null) {
      return null;
    }
    String text = url.text();
    // Neither is told as it stands there, since a password is in it.
    if (text.matches("(?i).*[?&](password|sslpassword)=.*") || text.matches("[^?]*//[^/?]*@.*")) {
      problems.add(
          url,
          "a url with a password in it is shown to many: write user and password beside it, such as"
              + " \"password: ${env:PGPASSWORD}\"");
      return null;
    }
    if (!text.startsWith("jdbc:postgresql:")) {
      problems.add(
          url,
          "url is the database as the JDBC driver takes it, jdbc:postgresql://host:port/database, and"
              + " this is "
              + FieldType.quoted(text)
              + (text.matches("postgres(ql)?://.*")
                  ? ": write jdbc:postgresql" + text.substring(text.indexOf("://"))
                  : ""));
      return null;
    }
    return text;
  }
}
