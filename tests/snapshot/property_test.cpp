// Random stacks of layers, mounted or flat, look as the specification's reference in memory says.
// LADE_TEST_STACKS=N tries N of them, LADE_TEST_SEED=S begins with another seed.
#include "tests/snapshot/stack_generator.hpp"
#include "tests/snapshot/ways.hpp"

#include <stdlib.h>

#include <optional>

namespace lade::test {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = ::getenv(name);
  return text == nullptr ? otherwise : ::strtoull(text, nullptr, 10);
}

/// What differs; empty if nothing does. Names of one file are one file again in one directory; in
/// an overlay those that the same layer made.
std::string difference(const ExpectedTree& expected, const Tree& found, Way way) {
  std::string text;
  for (const auto& [path, line] : expected.lines) {
    const auto at = found.find(path);
    const std::string other = at == found.end() ? "is not there" : at->second.line;
    if (other != line) text += str(path, "\n  expected: ", line, "\n  found:    ", other, '\n');
  }
  for (const auto& [path, entry] : found) {
    if (expected.lines.count(path) == 0) text += str(path, "\n  not expected: ", entry.line, '\n');
  }
  if (!text.empty()) return text;
  std::map<std::pair<const void*, std::size_t>, std::string> first;
  for (const auto& [path, file] : expected.files) {
    const std::size_t layer = way == Way::mounted ? file.second : 0;
    const std::string& other = first.emplace(std::pair(file.first, layer), path).first->second;
    if (found.at(path).inode != found.at(other).inode) {
      text += str(path, " and ", other, " are not one file\n");
    }
  }
  return text;
}

/// Where stacks are tried, one way.
class Trial {
 public:
  explicit Trial(Way way) : way_(way), store_(store::Store::open(scratch_.path() + "/store")) {}

  /// What is wrong with the stack; empty if nothing is.
  std::string fault_of(const Stack& stack) {
    std::vector<std::string> tars;
    for (const StackLayer& layer : stack.layers) tars.push_back(tar_of(layer));
    try {
      return difference(expected_tree(stack), tree_by(way_, scratch_, store_, tars), way_);
    } catch (const Error& error) {
      return str("refused: ", error.what(), '\n');
    }
  }

 private:
  Way way_;
  StoreScratch scratch_;
  store::Store store_;
};

/// Whether every hard link still has a target when it comes.
bool sensible(const Stack& stack) {
  StackModel model;
  for (const StackLayer& layer : stack.layers) {
    model.begin_layer(layer);
    for (const StackEntry& entry : layer) {
      if (entry.hides()) continue;
      if (entry.kind == StackEntry::Kind::hardlink) {
        const auto* target = model.find(entry.data);
        if (target == nullptr) target = model.find_removed(entry.data);
        if (target == nullptr || target->node->is_directory()) return false;
      }
      model.put(entry);
    }
  }
  return true;
}

/// Without every entry and layer that the fault does not need.
Stack smallest(Trial& trial, Stack stack) {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < stack.layers.size(); ++i) {
      for (std::size_t j = 0; j < stack.layers[i].size(); ++j) {
        Stack less = stack;
        less.layers[i].erase(less.layers[i].begin() + static_cast<std::ptrdiff_t>(j));
        if (!sensible(less) || trial.fault_of(less).empty()) continue;
        stack = std::move(less);
        changed = true;
        break;
      }
    }
  }
  return stack;
}

class PropertyTest : public testing::TestWithParam<Way> {};

TEST_P(PropertyTest, StacksLookAsTheReferenceSays) {
  LADE_NEEDS_ROOT();
  const std::uint64_t count = number_from_environment("LADE_TEST_STACKS", 300);
  const std::uint64_t start = number_from_environment("LADE_TEST_SEED", 1);
  constexpr std::uint64_t k_stacks_per_store = 25;
  std::optional<Trial> trial;
  std::size_t entries = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % k_stacks_per_store == 0) trial.emplace(GetParam());
    const Stack stack = generate_stack(start + i);
    for (const StackLayer& layer : stack.layers) entries += layer.size();
    const std::string fault = trial->fault_of(stack);
    if (fault.empty()) continue;
    const Stack least = smallest(*trial, stack);
    FAIL() << text_of(stack) << fault << "\nthe least of it that fails:\n"
           << text_of(least) << trial->fault_of(least);
  }
  RecordProperty("stacks", static_cast<int>(count));
  RecordProperty("entries", static_cast<int>(entries));
  EXPECT_GT(entries, count) << "the generator makes something";
}

INSTANTIATE_TEST_SUITE_P(Ways, PropertyTest, testing::Values(Way::mounted, Way::flat),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace lade::test
