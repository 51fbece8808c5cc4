# Third-party libraries, each an imported target that exactly one module links PRIVATE. They are the
# static archives that Debian ships, so that starting lade costs no relocation of theirs
# (docs/decisions/0001-linking.md). libcurl and ISA-L have no usable archive: they are loaded with
# dlopen by the code that needs them, and only their headers are used here.
function(lade_static_library target archive)
  find_library(${target}_ARCHIVE ${archive} REQUIRED)
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_ARCHIVE})
endfunction()

find_package(Threads REQUIRED)
lade_static_library(third_party_crypto libcrypto.a)
lade_static_library(third_party_zlib libz.a)
lade_static_library(third_party_zstd libzstd.a)
lade_static_library(third_party_lzma liblzma.a)
lade_static_library(third_party_sqlite libsqlite3.a)
lade_static_library(third_party_archive libarchive.a)
lade_static_library(third_party_seccomp libseccomp.a)
lade_static_library(third_party_cap libcap.a)
target_link_libraries(third_party_sqlite INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_libraries(third_party_lzma INTERFACE Threads::Threads)
target_link_libraries(third_party_crypto INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
