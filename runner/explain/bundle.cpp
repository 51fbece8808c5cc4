#include "runner/explain/bundle.hpp"

#include "runner/cgroups/path.hpp"
#include "runner/creation.hpp"
#include "runner/explain/explain.hpp"

namespace lade::runner {

std::string explain_bundle(const NewContainer& container, CgroupManager cgroups) {
  const Bundle bundle = open_bundle(container);
  PlanOptions options;
  options.bundle = bundle.path;
  options.lifetime = Lifetime::independent;
  options.create_container_state = "{}";
  options.start_container_state = "{}";
  const Plan plan = make_plan(bundle.spec, RootDirectory{bundle.spec.root_path}, options);
  ExplainFacts facts = find_explain_facts(plan, Stdin::open);
  if (cgroups == CgroupManager::cgroupfs) {
    facts.cgroup = find_explained_cgroup(
        bundle.spec.resources, decide_cgroup_path(bundle.spec.cgroups_path, container.id));
  } else if (cgroups == CgroupManager::systemd) {
    facts.missing.emplace_back("cgroup: systemd would make it");
  }
  return explain(plan, facts);
}

}  // namespace lade::runner
