package dev.oncefold.pipeline;

import dev.oncefold.Output;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The sections {@code outputs} and {@code refusals}: where what a pipeline tells goes. */
final class OutputsSection {
  private static final Map<String, String> ELSEWHERE =
      Map.of(
          "bootstrap.servers", "write \"bootstrap: localhost:9092\" beside properties",
          "transactional.id", "it is made of the name of the pipeline, and fences who wrote before",
          "acks", "all replicas acknowledge, always",
          "enable.idempotence", "it is on, always");

  private final Form root;
  private final Function<String, Path> resolved;
  private final Problems problems;
  // Who has which file: two writers of one, or one that is read, would be lost data.
  private final Map<Path, String> files = new HashMap<>();
  private final Map<String, Destination> outputs = new LinkedHashMap<>();
  private final Map<String, Node> places = new LinkedHashMap<>();
  private @Nullable Destination refusals;

  /**
   * Both sections.
   *
   * @param resolved finds a file that the pipeline names
   */
  OutputsSection(Form root, Function<String, Path> resolved, Problems problems) {
    this.root = root;
    this.resolved = resolved;
    this.problems = problems;
  }

  /** A file that nothing may be written to. */
  void taken(Path file, String by) {
    files.put(real(file), by);
  }

  /**
   * Reads both sections.
   *
   * @param emitted the outputs that steps emit to, with where they do; null where that is not known
   */
  void read(@Nullable Map<String, Node> emitted) {
    Map<String, Node.Entry> entries = entries();
    entries.forEach(
        (name, entry) -> {
          Destination place = destination("outputs: " + name, entry.value());
          if (place != null) {
            outputs.put(name, place);
          }
        });
    if (emitted != null && isNamed()) {
      checkEmitted(emitted, entries);
    }
    Node node = root.get("refusals");
    if (node != null) {
      refusals = destination("refusals", node);
    }
  }

  Map<String, Destination> outputs() {
    return outputs;
  }

  @Nullable Destination refusals() {
    return refusals;
  }

  /** All places by what they are for, {@code refusals} or {@code outputs: receipts}. */
  Map<String, Destination> all() {
    Map<String, Destination> all = new LinkedHashMap<>();
    outputs.forEach((name, place) -> all.put("outputs: " + name, place));
    if (refusals != null) {
      all.put("refusals", refusals);
    }
    return all;
  }

  /** Where a place of {@link #all} stands in the file. */
  Node place(String what) {
    return places.getOrDefault(what, root.where());
  }

  private boolean isNamed() {
    Node node = root.get("outputs");
    return node == null || (node instanceof Node.Mapping && !isUnnamed(node));
  }

  private static boolean isUnnamed(Node node) {
    Node.Entry file = node instanceof Node.Mapping mapping ? mapping.entries().get("file") : null;
    return file != null && file.value() instanceof Node.Scalar;
  }

  private Map<String, Node.Entry> entries() {
    Node node = root.get("outputs");
    if (node == null) {
      return Map.of();
    }
    if (!(node instanceof Node.Mapping mapping)) {
      problems.add(
          node,
          "outputs names each output and where it goes, such as \"outputs: { receipts: { file:"
              + " receipts.ndjson } }\", and this is "
              + node.told());
      return Map.of();
    }
    Node.Entry unnamed = mapping.entries().get("file");
    if (unnamed != null && unnamed.value() instanceof Node.Scalar path) {
      problems.add(
          unnamed.key(),
          "an output has a name before its file: write \"outputs: { "
              + Output.DEFAULT
              + ": { file: "
              + path.text()
              + " } }\"");
      return Map.of();
    }
    return mapping.entries();
  }

  private @Nullable Destination destination(String what, Node node) {
    places.put(what, node);
    if (Form.key(node, "kafka") == null) {
      Path file = file(what, new Form(what, node, problems, "file", "kafka"));
      return file == null ? null : new Destination.File(file);
    }
    Form form = new Form(what, node, problems, "kafka", "file");
    Node.Scalar file = form.key("file");
    if (file != null) {
      problems.add(file, what + " go to one place: write file or kafka, not both");
    }
    KafkaForm kafka =
        new KafkaForm(
            what + ": kafka", Objects.requireNonNull(form.get("kafka")), resolved, problems);
    String bootstrap = kafka.bootstrap();
    String topic = kafka.topic();
    Settings properties = kafka.properties(ELSEWHERE);
    return bootstrap == null || topic == null
        ? null
        : new Destination.Kafka(bootstrap, topic, properties);
  }

  private @Nullable Path file(String what, Form form) {
    Node.Scalar path = form.required("file", "\"file: receipts.ndjson\"");
    if (path == null) {
      return null;
    }
    Path file = resolved.apply(path.text());
    if (Files.isDirectory(file)) {
      problems.add(path, file + " is a directory; name a file in it");
      return file;
    }
    String other = files.putIfAbsent(real(file), what);
    if (other != null) {
      problems.add(path, file + " is the file of \"" + other + "\" already: take another");
    }
    return file;
  }

  /** The file behind a path, as far as there is one. */
  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path.toAbsolutePath().normalize();
    }
  }

  /** Checks that every output that is emitted to has a place, and every place an output. */
  private void checkEmitted(Map<String, Node> emitted, Map<String, Node.Entry> declared) {
    boolean all = true;
    for (Map.Entry<String, Node> output : emitted.entrySet()) {
      String name = output.getKey();
      if (declared.containsKey(name)) {
        continue;
      }
      all = false;
      problems.add(
          output.getValue(),
          declared.isEmpty()
              ? "where does this go? Write \"outputs: { "
                  + name
                  + ": { file: "
                  + name
                  + ".ndjson } }\""
              : name.equals(Output.DEFAULT)
                  ? "where does this go? Add \"to: " + declared.keySet().iterator().next() + "\""
                  : "outputs has no \"" + name + "\"" + Form.likely(name, declared.keySet()));
    }
    for (Node.Entry entry : declared.values()) {
      if (all && !emitted.containsKey(entry.key().text())) {
        problems.add(
            entry.key(),
            "no step emits to \""
                + entry.key().text()
                + "\": leave it out, or write \"to: "
                + entry.key().text()
                + "\" beside an emit");
      }
    }
  }
}
