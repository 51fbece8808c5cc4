#include <cstdio>
namespace lade::cli { void print_version(); void print_version() { std::puts("lade version " LADE_VERSION); } }
