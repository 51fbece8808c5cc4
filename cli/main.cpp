#include "cli/program.hpp"

int main(int argc, char** argv) {
  return lade::cli::run_program(argc > 0 ? argv[0] : "lade",
                                std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
