package dev.oncefold.pipeline;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What a source and an output of Kafka have in common: brokers, topic, settings of the client. */
final class KafkaForm {
  private static final String EXAMPLE = "{ bootstrap: localhost:9092, topic: payments }";
  private static final int MAX_PORT = 65535;

  private final Form form;
  private final Function<String, Path> resolved;
  private final Problems problems;

  /**
   * A form.
   *
   * @param what what it is, for messages: "source: kafka"
   * @param more the names that it may have besides bootstrap, topic and properties
   */
  KafkaForm(
      String what, Node node, Function<String, Path> resolved, Problems problems, String... more) {
    String[] known = new String[more.length + 3];
    known[0] = "bootstrap";
    known[1] = "topic";
    System.arraycopy(more, 0, known, 2, more.length);
    known[known.length - 1] = "properties";
    this.form = new Form(what, node, problems, known);
    this.resolved = resolved;
    this.problems = problems;
  }

  Form form() {
    return form;
  }

  /** The brokers; null where they cannot be used, which has been told. */
  @Nullable String bootstrap() {
    Node.Scalar bootstrap = form.required("bootstrap", "\"kafka: " + EXAMPLE + "\"");
    if (bootstrap == null) {
      return null;
    }
    String text = bootstrap(bootstrap);
    for (String broker : text.split(",", -1)) {
      int colon = broker.lastIndexOf(':');
      String port = broker.substring(colon + 1);
      if (colon < 1 || !port.matches("\\d{1,5}") || Integer.parseInt(port) > MAX_PORT) {
        problems.add(
            bootstrap,
            "bootstrap names brokers by host and port, such as localhost:9092, several with commas"
                + " between them, and this is "
                + FieldType.quoted(broker));
        return null;
      }
    }
    return text;
  }

  /** Brokers as they are asked for, whether or not they can be used. */
  static String bootstrap(Node.Scalar given) {
    return given.text().replaceAll("\\s", "");
  }

  /** The topic; null where it cannot be used, which has been told. */
  @Nullable String topic() {
    Node.Scalar topic = form.required("topic", "\"kafka: " + EXAMPLE + "\"");
    if (topic == null) {
      return null;
    }
    if (!topic.text().matches("[A-Za-z0-9._-]{1,249}") || topic.text().matches("\\.\\.?")) {
      problems.add(
          topic,
          "no topic of Kafka is called "
              + FieldType.quoted(topic.text())
              + ": a name has letters, digits, \".\", \"_\" and \"-\"");
      return null;
    }
    return topic.text();
  }

  /**
   * The settings of the client.
   *
   * @param elsewhere settings that have an option of their own: what to write instead, by name
   */
  Settings properties(Map<String, String> elsewhere) {
    return SettingsSection.read(form, elsewhere, resolved, problems);
  }
}
