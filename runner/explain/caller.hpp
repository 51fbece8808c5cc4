// What the caller of an explained container does for its first process, `$pid`: lines for bash.
// Pure.
#pragma once

#include "runner/explain/explain.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// Throws UsageError.
[[noreturn]] void refuse_to_explain(std::string_view why);

/// What unshare(1) and nsenter(1) call a kind of namespace: `--net`.
std::string_view namespace_option(NamespaceKind kind);

/// Whether the process is in a user namespace of its own or another's.
bool has_user_namespace(const Plan& plan);

/// `nsenter … unshare …`. What these cannot do is added to `missing`. Throws UsageError.
std::string entrance_words(const Plan& plan, std::vector<std::string>& missing);

/// All that is done before the first step.
std::string duty_lines(const Plan& plan, const ExplainFacts& facts,
                       std::vector<std::string>& missing);

}  // namespace lade::runner
