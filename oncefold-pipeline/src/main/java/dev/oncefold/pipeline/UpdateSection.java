package dev.oncefold.pipeline;

import dev.oncefold.Output;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The section {@code update}: the steps that an event goes through. */
final class UpdateSection {

  private final Variables variables;
  private final Expressions expressions;
  private final List<String> states;
  private final StateSection state;
  private final Problems problems;
  private final List<Step> steps = new ArrayList<>();
  private final List<String> rules = new ArrayList<>();
  private final Map<String, Node> outputs = new LinkedHashMap<>();

  private UpdateSection(
      Fields event,
      boolean timed,
      StateSection state,
      Collection<String> states,
      Problems problems) {
    this.state = state;
    this.states = List.copyOf(states);
    this.problems = problems;
    this.variables = new Variables().add("event", event);
    for (String name : states) {
      variables.add(name, state.fields());
    }
    if (timed) {
      variables.addTime();
    }
    this.expressions = new Expressions(variables, problems);
  }

  /**
   * Reads the steps; null where there are none, which has been told as a problem.
   *
   * @param timed whether events have a time
   * @param states the names of the states: {@code state}, or one for each key
   */
  static @Nullable UpdateSection read(
      Form root,
      Fields event,
      boolean timed,
      StateSection state,
      Collection<String> states,
      Problems problems) {
    Node node = root.get("update");
    if (!(node instanceof Node.Sequence sequence) || sequence.elements().isEmpty()) {
      problems.add(
          node == null ? root.where() : node,
          (node == null ? "update is missing: write" : "update is")
              + " a list of steps, each behind a \"-\", such as \"- set: {payments: state.payments +"
              + " 1}\""
              + (node == null ? "" : ", and this is " + node.told()));
      return null;
    }
    UpdateSection section = new UpdateSection(event, timed, state, states, problems);
    sequence.elements().forEach(section::step);
    return section;
  }

  Variables variables() {
    return variables;
  }

  List<Step> steps() {
    return steps;
  }

  /** A line for each step, for the text of the rules. */
  List<String> rules() {
    return rules;
  }

  /** Where each output is first emitted. */
  Map<String, Node> outputs() {
    return outputs;
  }

  private void step(Node node) {
    Form form = new Form("a step", node, problems, "reject", "set", "emit", "delete", "when", "to");
    if (!(node instanceof Node.Mapping)) {
      return;
    }
    List<String> found =
        List.of("reject", "set", "emit", "delete").stream().filter(form::has).toList();
    if (found.size() != 1) {
      problems.add(
          node,
          found.isEmpty()
              ? "a step needs one of reject, set, emit or delete"
              : "a step does one thing, and this has "
                  + String.join(" and ", found)
                  + ": begin a new step with a \"-\"");
      return;
    }
    Node condition = form.get("when");
    Expression when =
        condition == null ? null : expressions.compile(condition, "when", FieldType.BOOL);
    if (form.has("to") && !form.has("emit")) {
      problems.add(
          Objects.requireNonNull(form.key("to")), "\"to\" goes with emit only: leave it out");
    }
    String suffix = when == null ? "" : " when " + when.text();
    switch (found.get(0)) {
      case "reject" -> reject(form, when, suffix);
      case "set" -> set(form, when, suffix);
      case "emit" -> emit(form, when, suffix);
      default -> delete(form, when, suffix);
    }
  }

  private void reject(Form form, @Nullable Expression when, String suffix) {
    Node.Scalar reason = form.scalar("reject");
    if (reason == null) {
      return;
    }
    steps.add(new Step.Reject(reason.text(), when));
    rules.add("reject \"" + reason.text() + "\"" + suffix);
  }

  // ---------------------------------------------------------------- set and delete

  private void set(Form form, @Nullable Expression when, String suffix) {
    Node node = form.get("set");
    if (!(node instanceof Node.Mapping mapping) || mapping.entries().isEmpty()) {
      problems.add(
          form.where(),
          "set names fields of the state and their new values, such as \"set: {payments:"
              + " state.payments + 1}\"");
      return;
    }
    List<Step.Assignment> assignments = new ArrayList<>();
    for (Node.Entry entry : mapping.entries().values()) {
      Step.Assignment made = assignment(entry);
      if (made != null) {
        // Two sets are not one: the second sees what the first has set.
        String word = assignments.isEmpty() && followsSet() ? "then set " : "set ";
        assignments.add(made);
        rules.add(word + made.name() + " = " + made.value().text() + suffix);
      }
    }
    steps.add(new Step.Set(assignments, when));
  }

  private boolean followsSet() {
    return !steps.isEmpty() && steps.get(steps.size() - 1) instanceof Step.Set;
  }

  private Step.@Nullable Assignment assignment(Node.Entry entry) {
    String name = entry.key().text();
    String field = name;
    int row = 1;
    if (states.size() > 1) {
      int point = name.indexOf('.');
      row = point < 0 ? 0 : states.indexOf(name.substring(0, point)) + 1;
      if (row == 0) {
        problems.add(
            entry.key(),
            "\""
                + name
                + "\" does not say of which key: write "
                + String.join(" or ", states.stream().map(s -> s + "." + fieldOf(name)).toList()));
        return null;
      }
      field = name.substring(point + 1);
    }
    FieldType type = state.fields().types().get(field);
    if (state.fields().broken().contains(field)) {
      return null;
    }
    if (type == null) {
      problems.add(
          entry.key(),
          field.startsWith("state.")
              ? "set names the field alone: \"" + field.substring("state.".length()) + "\""
              : field.startsWith("event.")
                  ? "set changes the state, and \"" + field + "\" is of the event"
                  : "the state has no field \""
                      + field
                      + "\""
                      + Form.likely(field, state.fields().types().keySet()));
      return null;
    }
    Expression value = expressions.compile(entry.value(), "set " + name, type);
    return value == null
        ? null
        : new Step.Assignment(row, state.fields().rows().place(field), name, value);
  }

  private static String fieldOf(String name) {
    return name.substring(name.indexOf('.') + 1);
  }

  private void delete(Form form, @Nullable Expression when, String suffix) {
    Node.Scalar what = form.scalar("delete");
    if (what == null) {
      return;
    }
    int row =
        states.size() == 1 && what.text().equals("true") ? 1 : states.indexOf(what.text()) + 1;
    if (row == 0 || (states.size() == 1 && !what.text().equals("true"))) {
      problems.add(
          what,
          states.size() == 1
              ? "delete is \"delete: true\"; a \"when\" beside it says when"
              : "delete names one of the keys: " + String.join(" or ", states));
      return;
    }
    steps.add(new Step.Delete(row, when));
    rules.add("delete " + states.get(row - 1) + suffix);
  }

  // ---------------------------------------------------------------- emit

  private void emit(Form form, @Nullable Expression when, String suffix) {
    Node.Scalar to = form.scalar("to");
    String output = to == null ? Output.DEFAULT : to.text();
    if (output.equals("refusals")) {
      problems.add(
          to == null ? form.where() : to,
          "\"refusals\" are the events that were refused: name this output otherwise");
    }
    outputs.putIfAbsent(output, to == null ? form.where() : to);
    Node node = form.get("emit");
    if (!(node instanceof Node.Mapping mapping) || mapping.entries().isEmpty()) {
      problems.add(
          form.where(),
          "emit names the fields of an output, such as \"emit: {account: event.account, balance:"
              + " state.balance}\"");
      return;
    }
    List<String> texts = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    StringBuilder rule = new StringBuilder();
    for (Node.Entry entry : mapping.entries().values()) {
      String name = entry.key().text();
      if (name.equals("id")) {
        problems.add(
            entry.key(),
            "\"id\" is the id of the output itself, fold/key/event id/n, which is written in any case:"
                + " take another name");
        continue;
      }
      Expression value = expressions.compile(entry.value(), "emit " + name, null);
      if (value != null) {
        StringBuilder text = new StringBuilder().append(values.isEmpty() ? '{' : ',');
        Json.write(name, text);
        texts.add(text.append(':').toString());
        values.add(value);
        rule.append(rule.isEmpty() ? "" : ", ").append(name).append(" = ").append(value.text());
      }
    }
    steps.add(new Step.Emit(output, texts, values, when));
    rules.add("emit " + output + " {" + rule + "}" + suffix);
  }
}
