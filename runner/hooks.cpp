#include "runner/hooks.hpp"

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

#include <chrono>

namespace lade::runner {

namespace {

/// A hook without a timeout may take as long as it likes; poll() counts to 24 days.
constexpr std::chrono::hours k_no_timeout{24 * 20};

void run_hook(const SpecHook& hook, const std::string& state) {
  ProgramCall call;
  call.path = hook.path;
  if (!hook.args.empty()) {
    call.name = hook.args.front();
    call.arguments.assign(hook.args.begin() + 1, hook.args.end());
  }
  call.environment = hook.env;
  call.input = state;
  call.timeout = hook.timeout ? std::chrono::seconds(*hook.timeout) : k_no_timeout;
  const ProgramResult result = call_program(call);
  if (result.exit_code == 0) return;
  const std::string_view said = trim(result.errors.empty() ? result.output : result.errors);
  throw Error(str("run ", quoted(hook.path), ": it ended with ", result.exit_code,
                  said.empty() ? "" : ": ", printable(said)));
}

std::string context(HookMoment moment, std::size_t index) {
  return str(name_of(moment), " hook ", index + 1);
}

}  // namespace

std::string_view name_of(HookMoment moment) {
  switch (moment) {
    case HookMoment::prestart:
      return "prestart";
    case HookMoment::create_runtime:
      return "createRuntime";
    case HookMoment::create_container:
      return "createContainer";
    case HookMoment::start_container:
      return "startContainer";
    case HookMoment::poststart:
      return "poststart";
    case HookMoment::poststop:
      return "poststop";
  }
  return "unknown";
}

void run_hooks(HookMoment moment, const std::vector<SpecHook>& hooks, const std::string& state) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    in_context([&] { return context(moment, i); }, [&] { run_hook(hooks[i], state); });
  }
}

std::vector<std::string> run_every_hook(HookMoment moment, const std::vector<SpecHook>& hooks,
                                        const std::string& state) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    try {
      in_context([&] { return context(moment, i); }, [&] { run_hook(hooks[i], state); });
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  return problems;
}

}  // namespace lade::runner
