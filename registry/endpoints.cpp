#include "registry/endpoints.hpp"

#include "base/text.hpp"
#include "registry/short_names.hpp"

#include <utility>

namespace lade::registry {

namespace {

/// Whether the last part of a name has a tag or a digest.
bool has_key(std::string_view name) {
  const auto slash = name.find_last_of('/');
  return slash != std::string_view::npos &&
         name.find_first_of(":@", slash) != std::string_view::npos;
}

/// `name` (a reference's text) with what the rule's prefix covers of it exchanged for the location.
Reference rewrite(const RegistryRule& rule, const Location& location, const Reference& reference,
                  const std::string& name) {
  if (location.name.empty()) return reference;
  std::size_t covered = match_prefix(rule.prefix, name).value_or(0);
  // A prefix may cover the tag too; a location without one keeps it.
  if (!has_key(location.name)) covered = std::min(covered, reference.repository().size());
  const std::string text = location.name + name.substr(covered);
  return in_context(
      [&] { return str("location ", quoted(location.name), " in ", quoted(rule.file)); },
      [&]() -> Reference {
        if (is_short_name(text)) {
          throw InvalidData(str(quoted(text), " does not begin with a registry host"));
        }
        try {
          return Reference::parse(text);
        } catch (const UsageError& error) {
          throw InvalidData(error.message());
        }
      });
}

std::string refusal_text(const RegistryRule& rule) {
  return str("registry ", quoted(rule.prefix), " is blocked in ", quoted(rule.file));
}

bool serves(const Mirror& mirror, const Reference& reference, Reading reading) {
  const bool by_digest = reading == Reading::image && reference.digest().has_value();
  switch (mirror.use) {
    case MirrorUse::all:
      return true;
    case MirrorUse::digest_only:
      return by_digest;
    case MirrorUse::tag_only:
      return !by_digest;
  }
  return false;
}

/// Builds the plan for one reference that a rule covers.
class Planner {
 public:
  Planner(const RegistriesConf& conf, const RegistryRule& rule, const Reference& reference,
          std::string name)
      : conf_(conf), rule_(rule), reference_(reference), name_(std::move(name)) {}

  void add(const Location& location, EndpointKind kind) {
    Reference there = rewrite(rule_, location, reference_, name_);
    // The place itself may be blocked by a rule of its own, as whatever it is called.
    const RegistryRule* other = find_rule(conf_, there.repository());
    if (kind == EndpointKind::registry && rule_.access == Access::blocked) other = &rule_;
    if (other != nullptr && other->access == Access::blocked) {
      plan_.refusals.push_back(refusal_text(*other));
      return;
    }
    plan_.endpoints.push_back({.reference = std::move(there),
                               .tls_verify = location.tls_verify,
                               .proxy = location.proxy,
                               .kind = kind});
  }

  PullPlan finish() {
    if (plan_.endpoints.empty()) throw Refused(join(plan_.refusals, "; "));
    return std::move(plan_);
  }

 private:
  const RegistriesConf& conf_;
  const RegistryRule& rule_;
  const Reference& reference_;
  std::string name_;  // what the prefix is matched against
  PullPlan plan_;
};

}  // namespace

PullPlan plan_pull(const RegistriesConf& conf, const Reference& reference, Reading reading) {
  const std::string name = reading == Reading::tags ? reference.repository() : reference.text();
  const RegistryRule* rule = find_rule(conf, name);
  if (rule == nullptr) return {.endpoints = {PullEndpoint{.reference = reference}}};
  Planner planner(conf, *rule, reference, name);
  for (const Mirror& mirror : rule->mirrors) {
    if (serves(mirror, reference, reading)) planner.add(mirror.location, EndpointKind::mirror);
  }
  planner.add(rule->location, EndpointKind::registry);
  return planner.finish();
}

Location direct_location(const RegistriesConf& conf, std::string_view name) {
  const RegistryRule* rule = find_rule(conf, name);
  if (rule == nullptr) return {};
  if (rule->access == Access::blocked) throw Refused(refusal_text(*rule));
  return {.tls_verify = rule->location.tls_verify, .proxy = rule->location.proxy};
}

void add_failures(Error& error, const std::vector<std::string>& failures, const PullPlan& plan) {
  std::vector<std::string> all = failures;
  all.insert(all.end(), plan.refusals.begin(), plan.refusals.end());
  if (!all.empty()) error.add_context(str("after other endpoints (", join(all, "; "), ")"));
}

}  // namespace lade::registry
