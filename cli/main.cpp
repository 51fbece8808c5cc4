// Temporary entry point of the first commit; the verbs follow.
#include <cstdio>

int main() { std::puts("lade version " "0.1.0"); }
