// `config`: what an image's configuration says, changed.
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/bundle_config.hpp"
#include "cli/image_change.hpp"
#include "cli/options.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace lade::cli {

namespace {

constexpr std::array<std::string_view, 7> k_clearable{
    "config.labels",     "manifest.annotations", "config.exposedports", "config.env",
    "config.entrypoint", "config.cmd",           "config.volume"};

std::pair<std::string, std::string> name_and_value(const std::string& text, const char* option) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) {
    throw UsageError(str(option, ": must contain '=': ", printable(text)));
  }
  if (equals == 0) throw UsageError(str(option, ": must have non-empty name: ", printable(text)));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

/// Lists and maps of the image, with what was asked for.
class Settings {
 public:
  Settings(registry::ImageEdit& edit, const OpenedImage& image, const ConfigArguments& arguments)
      : edit_(edit),
        process_(image.config.process),
        annotations_(image.manifest.annotations.value_or(std::map<std::string, std::string>{})),
        arguments_(arguments) {}

  void apply() {
    set_env();
    set_map("Labels", "config.labels", process_.labels.value_or(Map{}), arguments_.labels,
            "config.label");
    set_set("ExposedPorts", "config.exposedports", process_.exposed_ports,
            arguments_.exposed_ports);
    set_set("Volumes", "config.volume", process_.volumes, arguments_.volumes);
    set_list("Entrypoint", "config.entrypoint", arguments_.entrypoint);
    set_list("Cmd", "config.cmd", arguments_.cmd);
    if (arguments_.user) edit_.set_setting("User", *arguments_.user);
    if (arguments_.working_dir) edit_.set_setting("WorkingDir", *arguments_.working_dir);
    if (arguments_.stop_signal) edit_.set_setting("StopSignal", *arguments_.stop_signal);
    set_annotations();
  }

 private:
  using Map = std::map<std::string, std::string>;

  bool is_cleared(std::string_view key) const {
    const auto& clear = arguments_.clear;
    return std::find(clear.begin(), clear.end(), key) != clear.end();
  }

  void set_env() {
    std::vector<std::string> env = process_.env.value_or(std::vector<std::string>{});
    if (is_cleared("config.env")) env.clear();
    for (const std::string& text : arguments_.env) {
      const std::string name = str(name_and_value(text, "config.env").first, '=');
      const auto found = std::find_if(
          env.begin(), env.end(), [&](const std::string& each) { return each.starts_with(name); });
      if (found == env.end()) {
        env.push_back(text);
      } else {
        *found = text;
      }
    }
    if (is_cleared("config.env") || !arguments_.env.empty()) edit_.set_setting("Env", env);
  }

  void set_map(const char* member, const char* key, Map values,
               const std::vector<std::string>& texts, const char* option) {
    if (is_cleared(key)) values.clear();
    for (const std::string& text : texts) {
      const auto [name, value] = name_and_value(text, option);
      values[name] = value;
    }
    if (is_cleared(key) || !texts.empty()) edit_.set_setting(member, values);
  }

  void set_set(const char* member, const char* key, const std::vector<std::string>& before,
               const std::vector<std::string>& more) {
    std::set<std::string> names;
    if (!is_cleared(key)) names.insert(before.begin(), before.end());
    names.insert(more.begin(), more.end());
    if (is_cleared(key) || !more.empty()) edit_.set_names(member, {names.begin(), names.end()});
  }

  void set_list(const char* member, const char* key, const std::vector<std::string>& words) {
    if (is_cleared(key) || !words.empty()) edit_.set_setting(member, words);
  }

  void set_annotations() {
    if (is_cleared("manifest.annotations")) annotations_.clear();
    for (const std::string& text : arguments_.annotations) {
      const auto [name, value] = name_and_value(text, "manifest.annotation");
      annotations_[name] = value;
    }
    edit_.set_annotations(annotations_);
  }

  registry::ImageEdit& edit_;
  ProcessConfig process_;
  Map annotations_;
  const ConfigArguments& arguments_;
};

void set_metadata(registry::ImageEdit& edit, const ConfigArguments& arguments) {
  if (arguments.created) {
    const auto created = parse_rfc3339(*arguments.created);
    if (!created) throw UsageError(str("--created: ", quoted(*arguments.created), " is no time"));
    edit.set("created", format_rfc3339(*created));
  }
  if (arguments.author) edit.set("author", *arguments.author);
  if (arguments.os) edit.set("os", *arguments.os);
  if (arguments.architecture) edit.set("architecture", *arguments.architecture);
  if (arguments.variant) edit.set("variant", *arguments.variant);
}

void check_clear(const std::vector<std::string>& clear) {
  for (const std::string& key : clear) {
    if (key == "rootfs.diffids") throw UsageError("--clear=rootfs.diffids is not safe");
    if (std::find(k_clearable.begin(), k_clearable.end(), key) == k_clearable.end()) {
      throw UsageError(str("unknown key to --clear: ", printable(key)));
    }
  }
}

}  // namespace

void declare_options(OptionSet& options, ConfigArguments& config) {
  options.value("--image", config.image);
  declare_tag(options, config.tag);
  options.value("--clear", config.clear);
  options.value("--config.user", config.user);
  options.value("--config.workingdir", config.working_dir);
  options.value("--config.stopsignal", config.stop_signal);
  options.value("--config.exposedports", config.exposed_ports);
  options.value("--config.env", config.env);
  options.value("--config.entrypoint", config.entrypoint);
  options.value("--config.cmd", config.cmd);
  options.value("--config.volume", config.volumes);
  options.value("--config.label", config.labels);
  options.value("--manifest.annotation", config.annotations);
  options.value("--created", config.created);
  options.value("--author", config.author);
  options.value("--platform.os,--os", config.os);
  options.value("--platform.arch,--architecture", config.architecture);
  options.value("--platform.variant", config.variant);
  declare(options, config.history);
  options.check([&] {
    require_image(config.image);
    check_clear(config.clear);
  });
}

int run_verb(const App& app, const ConfigArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_observer(app);
  const Job job{interrupt.stop(), *observer};
  ImageChange change(app, arguments.image, job);
  Settings(change.edit(), change.image(), arguments).apply();
  set_metadata(change.edit(), arguments);
  auto history =
      history_entry(app, arguments.history, "umoci config", change.edit().config().author);
  if (history) {
    history->empty_layer = true;
    change.edit().add_history(*history);
  }
  change.commit(arguments.tag);
  return 0;
}

}  // namespace lade::cli
