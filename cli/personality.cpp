#include "cli/personality.hpp"

#include "cli/parse.hpp"

namespace lade::cli {

namespace {

class LadePersonality final : public Personality {
 public:
  Invocation parse(const std::vector<std::string>& words) override { return cli::parse(words); }
  std::string verb_of(const std::vector<std::string>& words) const override {
    return cli::verb_of(words);
  }
  Report describe(const std::exception_ptr& failure, const std::string& verb,
                  Detail detail) const override {
    return cli::describe(failure, verb, detail);
  }
};

}  // namespace

std::unique_ptr<Personality> make_personality(std::string_view called_as,
                                              std::string_view first_word) {
  const std::string_view name = called_as.substr(called_as.rfind('/') + 1);
  if (name == "skopeo") return make_skopeo();
  if (name == "umoci") return make_umoci();
  if (name == "runc" || name == "crun" || name == "lade-oci") return make_oci_runtime();
  if (first_word == "oci") return make_oci_runtime();
  return std::make_unique<LadePersonality>();
}

}  // namespace lade::cli
