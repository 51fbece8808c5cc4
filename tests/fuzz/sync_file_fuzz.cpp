#include "base/error.hpp"
#include "registry/sync/sync_file.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

#include <string>
#include <vector>

namespace lade::fuzz {

void fuzz_sync_file(std::string_view input) {
  try {
    const registry::SyncFile file = registry::parse_sync_file(input, "list.yaml");
    const std::vector<std::string> listed{"1.0", "1.1", "v2.0.3-rc1", "latest"};
    for (const registry::SyncRegistry& registry : file.registries) {
      const std::string host = registry.name.substr(0, registry.name.find('/'));
      for (const registry::SyncSource& source : registry.sources) {
        const Reference any = Reference::parse(host + "/x/y");
        check(any.path() == "x/y" && any.domain() == source.repository.domain(),
              "a source is of its registry");
        check(!source.repository.tag() && !source.repository.digest(), "a repository has no tag");
        check(select_tags(source, listed).size() <= listed.size(), "filters add nothing");
        for (const auto& item : plan_source(source, listed, {})) {
          check(!item.name.empty() && item.reference.has_value(), "an image has a name");
        }
      }
    }
  } catch (const InvalidData&) {
    return;
  } catch (const UsageError&) {
    return;
  }
}

}  // namespace lade::fuzz
