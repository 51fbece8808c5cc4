#include "registry/referrer_trees.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <array>
#include <set>
#include <utility>

namespace lade::registry {

namespace {

constexpr std::size_t k_most_referrers = 1000;
/// What cosign puts behind `sha256-HEX`.
constexpr std::array<std::string_view, 3> k_suffixes{".sig", ".att", ".sbom"};

/// Goes from what is known to what refers to it, until nothing is left.
class ReferrerSearch {
 public:
  ReferrerSearch(ImageSource& source, const Platform& system) : source_(source), system_(system) {}

  std::vector<ReferrerTree> run(const ImageTree& tree) {
    known_.insert(tree.top().digest);
    for (const TreeNode& node : tree.nodes) known_.insert(node.raw.digest);
    for (const TreeNode& node : tree.nodes) look_at(node.raw.digest);
    // What is found is looked at in its turn; the list grows while it is gone through.
    for (std::size_t i = 0; i < found_.size(); ++i) {
      std::vector<Digest> digests;
      for (const TreeNode& node : found_[i].tree.nodes) digests.push_back(node.raw.digest);
      for (const Digest& digest : digests) look_at(digest);
    }
    return std::move(found_);
  }

 private:
  void look_at(const Digest& digest) {
    const auto context = [&] { return str("referrers of ", quoted(digest.text())); };
    in_context(context, [&] {
      for (const Descriptor& referrer : source_.list_referrers(digest)) {
        if (known_.insert(referrer.digest).second) add(referrer.digest, digest);
      }
      if (!source_.has_many_names()) return;
      for (const std::string_view suffix : k_suffixes) {
        add_tagged(str(digest.algorithm_name(), '-', digest.hex(), suffix), digest);
      }
    });
  }

  void add_tagged(const std::string& tag, const Digest& subject) {
    try {
      source_.manifest(tag);
    } catch (const NotFound&) {
      return;  // most images have none
    }
    add(tag, subject);
  }

  void add(const ManifestKey& key, const Digest& subject) {
    if (found_.size() == k_most_referrers) {
      throw InvalidData(str("there are more than ", k_most_referrers));
    }
    found_.push_back({read_tree(source_, key, {Instances::Which::all}, system_), key, subject});
  }

  ImageSource& source_;
  const Platform& system_;
  std::set<Digest> known_;
  std::vector<ReferrerTree> found_;
};

}  // namespace

std::vector<ReferrerTree> find_referrers(ImageSource& source, const ImageTree& tree,
                                         const Platform& system) {
  return ReferrerSearch(source, system).run(tree);
}

}  // namespace lade::registry
