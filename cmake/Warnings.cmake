# Warning, hardening and sanitizer flags for our own code; third-party targets never see them.
add_library(lade_flags INTERFACE)
target_include_directories(lade_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(lade_flags INTERFACE _FILE_OFFSET_BITS=64 _GNU_SOURCE)
target_compile_options(lade_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wformat=2 -Wimplicit-fallthrough
  -Wextra-semi -Wmissing-declarations -Wundef -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(lade_flags INTERFACE -Wduplicated-cond -Wduplicated-branches -Wlogical-op
    -Wsuggest-override)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # g++ 12 sees overlapping copies in std::string's own operator+ (GCC bug 105651).
  target_compile_options(lade_flags INTERFACE -Wno-restrict)
endif()
# Designated initialisers that leave members at their defaults are the house style for options.
target_compile_options(lade_flags INTERFACE -Wno-missing-field-initializers)
if(LADE_WERROR)
  target_compile_options(lade_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(lade_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
    -D_GLIBCXX_ASSERTIONS -fstack-protector-strong -fstack-clash-protection -fcf-protection)
endif()
if(LADE_SANITIZE)
  target_compile_options(lade_flags INTERFACE -fsanitize=${LADE_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(lade_flags INTERFACE -fsanitize=${LADE_SANITIZE})
endif()
if(LADE_FUZZ)
  # Coverage for libFuzzer in everything; its main() only in the fuzz targets.
  target_compile_options(lade_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(lade_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
