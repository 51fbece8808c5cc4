#include "base/template/evaluator.hpp"

#include "base/error.hpp"
#include "base/template/functions.hpp"
#include "base/template/methods.hpp"
#include "base/template/text_form.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <optional>

namespace lade::go {

namespace {

/// The cursor, and what Go calls its type: elements of `[]interface {}` are known as such.
struct Dot {
  Value value;
  std::string_view type;
};

struct Variable {
  std::string name;
  Value value;
};

/// How a list of nodes ended.
enum class Flow { on, break_, continue_ };

class Evaluator {
 public:
  Evaluator(const TemplateText& source, const Value& data, const Limits& limits)
      : source_(source), limits_(limits) {
    variables_.push_back({"$", data});
  }

  std::string run(const std::vector<Node>& nodes) {
    const Value root = variables_.front().value;
    walk(nodes, {root, root.type()});
    return std::move(out_);
  }

 private:
  // Failing: at the node that was looked at last.

  void look_at(const Place& place) { place_ = &place; }

  [[noreturn]] void fail(std::string_view problem) const {
    throw Error(failure_text(source_, *place_, problem));
  }

  void step() {
    if (++steps_ > limits_.steps) fail("too many steps");
  }

  void print(std::string_view text) {
    if (out_.size() + text.size() > limits_.output) fail("too much output");
    out_ += text;
  }

  // Nodes.

  Flow walk(const std::vector<Node>& nodes, const Dot& dot) {
    for (const Node& node : nodes) {
      const Flow flow = walk(node, dot);
      if (flow != Flow::on) return flow;
    }
    return Flow::on;
  }

  Flow walk(const Node& node, const Dot& dot) {
    step();
    switch (node.kind) {
      case Node::Kind::text:
        print(node.text);
        return Flow::on;
      case Node::Kind::action:
        walk_action(node, dot);
        return Flow::on;
      case Node::Kind::if_:
      case Node::Kind::with:
        return walk_choice(node, dot);
      case Node::Kind::range:
        return walk_range(node, dot);
      case Node::Kind::break_:
        return Flow::break_;
      case Node::Kind::continue_:
        return Flow::continue_;
    }
    return Flow::on;
  }

  void walk_action(const Node& node, const Dot& dot) {
    const Value value = evaluate_pipeline(node.pipeline, dot);
    if (!node.pipeline.variables.empty()) return;
    look_at(node.pipeline.place);
    print(display(value));
  }

  Flow walk_choice(const Node& node, const Dot& dot) {
    const std::size_t mark = variables_.size();
    const Value value = evaluate_pipeline(node.pipeline, dot);
    Flow flow = Flow::on;
    if (!is_true(value)) {
      flow = walk(node.otherwise, dot);
    } else {
      flow = node.kind == Node::Kind::with ? walk(node.body, {value, value.type()})
                                           : walk(node.body, dot);
    }
    variables_.resize(mark);
    return flow;
  }

  Flow walk_range(const Node& node, const Dot& dot) {
    const std::size_t mark = variables_.size();
    const Value value = evaluate_commands(node.pipeline, dot);
    std::size_t rounds = 0;
    Flow flow = Flow::on;
    const auto round = [&](Value key, const Value& item, std::string_view type) {
      const std::size_t inner = variables_.size();
      bind_range(node.pipeline, std::move(key), item);
      ++rounds;
      flow = walk(node.body, {item, type});
      variables_.resize(inner);
      return flow != Flow::break_;
    };
    if (const List* list = value.as_list()) {
      const bool is_boxed = value.type() == "[]interface {}";
      std::int64_t index = 0;
      for (const Value& item : list->items) {
        const std::string_view type = is_boxed ? "interface {}" : item.type();
        if (!round(Value::integer(index++), item, type)) break;
      }
    } else if (const Map* map = value.as_map()) {
      for (const auto& [key, item] : map->items) {
        if (!round(Value::text(key), item, item.type())) break;
      }
    } else if (const auto* count = value.get<std::int64_t>()) {
      for (std::int64_t i = 0; i < *count; ++i) {
        const Value number = Value::integer(i, value.type());
        step();
        if (!round(number, number, value.type())) break;
      }
    } else if (!value.is_none()) {
      fail("range can't iterate over " + display(value));
    }
    flow = rounds == 0 ? walk(node.otherwise, dot) : Flow::on;
    variables_.resize(mark);
    return flow;
  }

  void bind_range(const Pipeline& pipeline, Value key, const Value& item) {
    const auto& names = pipeline.variables;
    if (names.empty()) return;
    const bool assigns = pipeline.binding == Pipeline::Binding::assign;
    const auto bind = [&](const std::string& name, Value value) {
      if (assigns) {
        assign(name, std::move(value));
      } else {
        variables_.push_back({name, std::move(value)});
      }
    };
    if (names.size() == 2) bind(names[0], std::move(key));
    bind(names.back(), item);
  }

  // Variables.

  Value& variable(const std::string& name) {
    const auto found =
        std::find_if(variables_.rbegin(), variables_.rend(),
                     [&](const Variable& variable) { return variable.name == name; });
    if (found == variables_.rend()) fail("undefined variable: " + name);
    return found->value;
  }

  void assign(const std::string& name, Value value) { variable(name) = std::move(value); }

  // Pipelines and commands.

  /// Its value, which the variable that it declares gets too.
  Value evaluate_pipeline(const Pipeline& pipeline, const Dot& dot) {
    Value value = evaluate_commands(pipeline, dot);
    if (pipeline.binding == Pipeline::Binding::assign) {
      assign(pipeline.variables[0], value);
    } else if (pipeline.binding == Pipeline::Binding::declare) {
      variables_.push_back({pipeline.variables[0], value});
    }
    return value;
  }

  /// Its value alone: a range binds its variables to elements.
  Value evaluate_commands(const Pipeline& pipeline, const Dot& dot) {
    look_at(pipeline.place);
    std::optional<Value> value;
    for (const Command& command : pipeline.commands) {
      value = evaluate_command(command, dot, value);
    }
    return std::move(*value);
  }

  Value evaluate_command(const Command& command, const Dot& dot,
                         const std::optional<Value>& final_value) {
    step();
    const Operand& first = command.operands.front();
    const std::span<const Operand> rest(command.operands.data() + 1, command.operands.size() - 1);
    if (first.kind == Operand::Kind::function) {
      return call_and_follow(first, command.place, rest, dot, final_value);
    }
    const bool has_arguments = !rest.empty() || final_value.has_value();
    const bool takes_arguments = !first.fields.empty();
    if (has_arguments && !takes_arguments) {
      look_at(first.place);
      fail("can't give argument to non-function " + first.place.text);
    }
    if (first.kind == Operand::Kind::nil) {
      look_at(first.place);
      fail("nil is not a command");
    }
    return evaluate_operand(first, dot, rest, final_value);
  }

  /// Any operand but a function at the head of a command.
  Value evaluate_operand(const Operand& operand, const Dot& dot, std::span<const Operand> arguments,
                         const std::optional<Value>& final_value) {
    look_at(operand.place);
    switch (operand.kind) {
      case Operand::Kind::constant:
        return operand.constant;
      case Operand::Kind::nil:
        return Value::nil("");
      case Operand::Kind::dot:
        return dot.value;
      case Operand::Kind::field:
        return follow(dot, operand, dot, arguments, final_value);
      case Operand::Kind::variable: {
        const Value value = variable(operand.name);
        return follow({value, value.type()}, operand, dot, arguments, final_value);
      }
      case Operand::Kind::pipeline: {
        const Value value = evaluate_pipeline(*operand.pipeline, dot);
        return follow({value, value.type()}, operand, dot, arguments, final_value);
      }
      case Operand::Kind::function:
        return call_and_follow(operand, operand.place, {}, dot, std::nullopt);
    }
    return {};
  }

  Value call_and_follow(const Operand& function, const Place& place,
                        std::span<const Operand> arguments, const Dot& dot,
                        const std::optional<Value>& final_value) {
    if (function.fields.empty()) return call(function, place, arguments, dot, final_value);
    const Value value = call(function, place, {}, dot, std::nullopt);
    return follow({value, value.type()}, function, dot, arguments, final_value);
  }

  // Fields.

  /// The fields of an operand, one after the other; only the last may be a method with arguments.
  Value follow(Dot receiver, const Operand& operand, const Dot& dot,
               std::span<const Operand> arguments, const std::optional<Value>& final_value) {
    for (std::size_t i = 0; i < operand.fields.size(); ++i) {
      const bool is_last = i + 1 == operand.fields.size();
      Value value = is_last
                        ? field(receiver, operand, operand.fields[i], dot, arguments, final_value)
                        : field(receiver, operand, operand.fields[i], dot, {}, std::nullopt);
      const std::string_view type = value.type();
      receiver = {std::move(value), type};
    }
    return receiver.value;
  }

  Value field(const Dot& receiver, const Operand& operand, const std::string& name, const Dot& dot,
              std::span<const Operand> arguments, const std::optional<Value>& final_value) {
    const Value& value = receiver.value;
    if (value.is_none()) return {};
    if (const Method* method = find_method(value, name)) {
      return call_method(*method, value, operand, name, dot, arguments, final_value);
    }
    const bool has_arguments = !arguments.empty() || final_value.has_value();
    if (const Record* record = value.as_record()) {
      if (const Value* found = record->find(name)) {
        if (has_arguments) {
          fail(name + " has arguments but cannot be invoked as function");
        }
        return *found;
      }
    } else if (const Map* map = value.as_map()) {
      if (has_arguments) fail(name + " is not a method but has arguments");
      const auto found = map->items.find(name);
      return found == map->items.end() ? Value() : found->second;
    } else if (value.is_nil()) {
      fail(str("nil pointer evaluating ", receiver.type.empty() ? "interface {}" : receiver.type,
               '.', name));
    }
    fail(str("can't evaluate field ", name, " in type ", receiver.type));
  }

  Value call_method(const Method& method, const Value& receiver, const Operand& operand,
                    const std::string& name, const Dot& dot, std::span<const Operand> arguments,
                    const std::optional<Value>& final_value) {
    const std::size_t count = arguments.size() + (final_value ? 1 : 0);
    if (count != method.parameters) {
      fail(str("wrong number of args for ", name, ": want ", method.parameters, " got ", count));
    }
    std::vector<Value> values;
    for (const Operand& argument : arguments) {
      values.push_back(evaluate_argument(argument, Parameter::text, dot));
    }
    if (final_value) values.push_back(checked(*final_value, Parameter::text));
    look_at(operand.place);
    return method.call(receiver, values);
  }

  // Calls.

  Value call(const Operand& operand, const Place& place, std::span<const Operand> arguments,
             const Dot& dot, const std::optional<Value>& final_value) {
    look_at(operand.place);
    const Function& function = *find_function(operand.name);
    const std::size_t count = arguments.size() + (final_value ? 1 : 0);
    const std::size_t wanted = function.parameters.size() - (function.is_variadic ? 1 : 0);
    if (function.is_variadic ? count < wanted : count != wanted) {
      fail(str("wrong number of args for ", operand.name, ": want ",
               function.is_variadic ? "at least " : "", wanted, " got ", count));
    }
    const bool is_and = operand.name == "and";
    const bool is_or = operand.name == "or";
    std::vector<Value> values;
    for (const Operand& argument : arguments) {
      values.push_back(evaluate_argument(argument, parameter(function, values.size()), dot));
      // The rest is not even evaluated when the result is known.
      if ((is_and && !is_true(values.back())) || (is_or && is_true(values.back()))) {
        return values.back();
      }
    }
    if (final_value) values.push_back(checked(*final_value, parameter(function, values.size())));
    try {
      return bounded(function.call(values));
    } catch (const Error& error) {
      look_at(place);
      fail(str("error calling ", operand.name, ": ", error.message()));
    }
  }

  static Parameter parameter(const Function& function, std::size_t index) {
    return function.parameters[std::min(index, function.parameters.size() - 1)];
  }

  /// Doubling a text in a loop must not fill the memory.
  Value bounded(Value value) const {
    const auto* text = value.get<std::string>();
    if (text != nullptr && text->size() > limits_.output) throw Error("too much output");
    return value;
  }

  Value evaluate_argument(const Operand& operand, Parameter wanted, const Dot& dot) {
    look_at(operand.place);
    if (operand.kind == Operand::Kind::constant && wanted != Parameter::any) {
      const bool is_text = operand.constant.get<std::string>() != nullptr;
      const bool is_integer = operand.constant.get<std::int64_t>() != nullptr;
      if (wanted == Parameter::text && !is_text)
        fail("expected string; found " + operand.place.text);
      if (wanted == Parameter::integer && !is_integer) {
        fail("expected integer; found " + operand.place.text);
      }
      if (wanted == Parameter::texts) {
        fail(str("can't handle ", operand.place.text, " for arg of type []string"));
      }
      return operand.constant;
    }
    if (operand.kind == Operand::Kind::nil && wanted != Parameter::any) {
      if (wanted == Parameter::texts) return Value::list({.is_nil = true}, "[]string");
      fail(str("cannot assign nil to ", type_name(wanted)));
    }
    return checked(evaluate_operand(operand, dot, {}, std::nullopt), wanted);
  }

  /// `value` if it is of the type that is wanted.
  Value checked(Value value, Parameter wanted) const {
    if (wanted == Parameter::any) return value.is_none() ? Value::nil("") : value;
    if (value.is_none()) fail(str("invalid value; expected ", type_name(wanted)));
    if (value.type() != type_name(wanted)) {
      fail(str("wrong type for value; expected ", type_name(wanted), "; got ",
               value.type().empty() ? "<nil>" : value.type()));
    }
    return value;
  }

  TemplateText source_;
  Limits limits_;
  std::string out_;
  std::vector<Variable> variables_;
  const Place nowhere_;
  const Place* place_ = &nowhere_;
  std::size_t steps_ = 0;
};

}  // namespace

std::string evaluate(const TemplateText& source, const std::vector<Node>& nodes, const Value& data,
                     const Limits& limits) {
  return Evaluator(source, data, limits).run(nodes);
}

}  // namespace lade::go
