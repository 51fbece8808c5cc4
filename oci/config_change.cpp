#include "oci/config_change.hpp"

#include "base/error.hpp"
#include "base/signal_names.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace lade {

namespace {

constexpr std::string_view k_blanks = " \t";
constexpr std::string_view k_known =
    "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR";

/// A list of texts in JSON; nothing if it is anything else.
std::optional<std::vector<std::string>> find_json_list(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  try {
    const JsonValue document = parse_json(text, "list");
    return JsonNode(document, "list").texts();
  } catch (const InvalidData&) {
    return std::nullopt;
  }
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = text.find_first_not_of(k_blanks); at != std::string_view::npos;
       at = text.find_first_not_of(k_blanks, at)) {
    const std::size_t end = std::min(text.find_first_of(k_blanks, at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

void insert_sorted(std::vector<std::string>& set, std::string item) {
  const auto place = std::lower_bound(set.begin(), set.end(), item);
  if (place == set.end() || *place != item) set.insert(place, std::move(item));
}

/// Where the key of `KEY=VALUE` or `KEY VALUE` ends; one in quotes may have both in it.
std::size_t key_end(std::string_view text) {
  const std::size_t close = text.starts_with('"') ? text.find('"', 1) : std::string_view::npos;
  const std::size_t from = close == std::string_view::npos ? 0 : close + 1;
  return std::min(text.find_first_of(" \t=", from), text.size());
}

struct Assignment {
  std::string key;
  std::optional<std::string> value;  ///< none if there is neither a blank nor a `=`
};

Assignment parse_assignment(std::string_view text) {
  const std::size_t end = key_end(text);
  Assignment assignment{unquoted(text.substr(0, end)), std::nullopt};
  if (assignment.key.empty()) throw UsageError("there is no key");
  if (end < text.size()) {
    const bool is_equals = text[end] == '=';
    const std::string_view value = text.substr(end + 1);
    assignment.value = unquoted(is_equals ? value : trim(value));
  }
  return assignment;
}

void add_environment(ProcessConfig& config, std::string_view text) {
  const Assignment variable = parse_assignment(text);
  if (!config.env) config.env.emplace();
  config.env->push_back(str(variable.key, '=', variable.value.value_or("")));
}

void add_label(ProcessConfig& config, std::string_view text) {
  const Assignment label = parse_assignment(text);
  if (!label.value) throw UsageError("a label is KEY=VALUE");
  if (!config.labels) config.labels.emplace();
  config.labels->insert_or_assign(label.key, *label.value);
}

std::string parse_port(const std::string& text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto number = parse_number<std::uint16_t>(std::string_view(text).substr(0, slash));
  if (!number || *number == 0) {
    throw UsageError(str("a port is a number from 1 to 65535, not ", quoted(text)));
  }
  const std::string protocol =
      slash == text.size() ? "tcp" : ascii_lower(std::string_view(text).substr(slash + 1));
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
    throw UsageError(str("a port's protocol is tcp, udp or sctp, not ", quoted(protocol)));
  }
  return str(*number, '/', protocol);
}

void add_ports(ProcessConfig& config, std::string_view text) {
  for (const std::string& word : words_of(text)) {
    insert_sorted(config.exposed_ports, parse_port(word));
  }
}

void add_volumes(ProcessConfig& config, std::string_view text) {
  auto list = find_json_list(text);
  for (std::string& path : list ? *list : words_of(text)) {
    if (path.empty()) throw UsageError("a volume is a path");
    insert_sorted(config.volumes, std::move(path));
  }
}

void set_stop_signal(ProcessConfig& config, std::string_view text) {
  const auto signal = find_signal(text);
  if (!signal) throw UsageError(str("there is no signal ", quoted(text)));
  config.stop_signal = str(*signal);
}

/// A list in JSON is the program and its arguments; anything else is a line for the shell.
std::vector<std::string> command_of(std::string_view text) {
  if (auto list = find_json_list(text)) return std::move(*list);
  std::vector<std::string> command{"/bin/sh", "-c"};
  if (!text.empty()) command.emplace_back(text);
  return command;
}

void require_value(std::string_view value) {
  if (value.empty()) throw UsageError("there is nothing after it");
}

void make(ProcessConfig& config, std::string_view instruction, std::string_view value) {
  if (instruction == "CMD") {
    config.cmd = command_of(value);
    return;
  }
  if (instruction == "ENTRYPOINT") {
    config.entrypoint = value.empty() ? std::vector<std::string>() : command_of(value);
    return;
  }
  require_value(value);
  if (instruction == "ENV") return add_environment(config, value);
  if (instruction == "EXPOSE") return add_ports(config, value);
  if (instruction == "LABEL") return add_label(config, value);
  if (instruction == "STOPSIGNAL") return set_stop_signal(config, value);
  if (instruction == "VOLUME") return add_volumes(config, value);
  (instruction == "USER" ? config.user : config.working_dir) = value;
}

bool is_known(std::string_view instruction) {
  static constexpr std::array<std::string_view, 10> known{
      "CMD",     "ENTRYPOINT", "ENV",  "EXPOSE", "LABEL",
      "ONBUILD", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"};
  return std::find(known.begin(), known.end(), instruction) != known.end();
}

}  // namespace

ConfigChange change_config(ProcessConfig& config, std::string_view change) {
  const std::size_t end = change.find_first_of(" \t=");
  if (end == std::string_view::npos) {
    throw UsageError(str("change ", quoted(change), ": expected `INSTRUCTION VALUE`"));
  }
  std::string instruction(change.substr(0, end));
  for (char& c : instruction) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (!is_known(instruction)) {
    throw UsageError(str("change ", quoted(change), ": unknown instruction ", quoted(instruction),
                         ", expected ", k_known));
  }
  if (instruction == "ONBUILD") return ConfigChange::left_out;
  in_context([&] { return str("change ", quoted(change)); },
             [&] { make(config, instruction, trim(change.substr(end + 1))); });
  return ConfigChange::made;
}

}  // namespace lade
