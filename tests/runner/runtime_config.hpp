// Containers as a config.json describes them.
#pragma once

#include "oci/runtime_spec_json.hpp"
#include "tests/runner/container.hpp"

#include <string>
#include <vector>

namespace lade::runner::testing {

/// Members that a test adds to the configuration below, or puts in the place of its own: of several
/// with the same name the last one counts.
struct Config {
  std::string process;
  std::string linux;
  std::string root;
  std::string mounts;
  std::string namespaces =
      R"({"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"network"})";
};

/// A test with a busybox root and a bundle around it.
class RuntimeConfigTest : public ContainerTest {
 protected:
  static std::string words(const std::vector<std::string>& args) {
    std::string text;
    for (const std::string& word : args) {
      if (!text.empty()) text += ',';
      text += '"';
      for (const char c : word) {
        if (c == '"' || c == '\\') text += '\\';
        text += c;
      }
      text += '"';
    }
    return str('[', text, ']');
  }

  std::string json(const Config& config, const std::vector<std::string>& args) const {
    const auto more = [](const std::string& text) { return text.empty() ? "" : "," + text; };
    constexpr const char* k_caps = R"(["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_KILL","CAP_SETUID"])";
    return str(R"({"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":)", words(args),
               R"(,"cwd":"/","env":["PATH=/bin"],"capabilities":{"bounding":)", k_caps,
               R"(,"effective":)", k_caps, R"(,"permitted":)", k_caps, "}", more(config.process),
               R"(},"mounts":[{"destination":"/proc","type":"proc","source":"proc"},
          {"destination":"/dev","type":"tmpfs","source":"tmpfs",
           "options":["nosuid","strictatime","mode=755","size=65536k"]},
          {"destination":"/dev/pts","type":"devpts","source":"devpts","options":
           ["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620"]})",
               more(config.mounts), R"(],"linux":{"namespaces":[)", config.namespaces, "]",
               more(config.linux), "}", more(config.root), "}");
  }

  Plan plan_of(const Config& config, const std::vector<std::string>& args) const {
    const Spec spec = parse_runtime_spec(json(config, args));
    return make_plan(spec, root_, {.bundle = scratch_.path()});
  }

  Result run(const Config& config, const std::vector<std::string>& args) {
    return Process(plan_of(config, args), streams_).finish();
  }
  Result script(const Config& config, const std::string& text) {
    return run(config, {"sh", "-c", text});
  }
};

}  // namespace lade::runner::testing
