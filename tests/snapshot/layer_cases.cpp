// Usage: layer_cases OUT HOST
// Writes the layers of the tests of layers as plain tars, OUT/KIND/CASE/0.tar, 1.tar, …, for the
// comparison with other programs (tests/e2e/peers.py). HOST is the directory that attacks go for.
#include "tests/snapshot/attack_layers.hpp"
#include "tests/snapshot/odd_layers.hpp"
#include "tests/snapshot/two_layer_cases.hpp"

#include <iostream>

namespace lade::test {
namespace {

void write_case(const Directory& kind, const char* name, const std::vector<TarBuilder>& layers) {
  const Directory target = kind.ensure_child(name, 0755);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    target.write_file(str(i, ".tar"), layers[i].bytes(), 0644);
  }
}

void write_all_cases(const std::string& out, const std::string& host) {
  const Directory root = Directory::ensure(out, 0755);
  const Directory two_layers = root.ensure_child("two-layers", 0755);
  for (const Case& each : cases()) {
    write_case(two_layers, each.name, {lower_layer(), each.upper});
  }
  const Directory odd = root.ensure_child("odd", 0755);
  for (const OddLayers& each : odd_layers()) write_case(odd, each.name, each.layers);
  const Directory attack = root.ensure_child("attacks", 0755);
  for (const Attack& each : attacks(host)) write_case(attack, each.name, each.layers);
}

}  // namespace
}  // namespace lade::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: layer_cases OUT HOST\n";
    return 64;
  }
  try {
    lade::test::write_all_cases(argv[1], argv[2]);
  } catch (const lade::Error& error) {
    std::cerr << "layer_cases: " << error.what() << '\n';
    return 1;
  }
}
