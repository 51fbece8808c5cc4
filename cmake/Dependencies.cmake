# Third-party libraries, each an imported target that exactly one module links PRIVATE. They are the
# static archives that Debian ships, so that starting lade costs no relocation of theirs
# (docs/decisions/0001-linking.md). ISA-L has no archive: it is loaded with dlopen by the code that
# needs it, and only its headers are used here.
function(lade_static_library target archive)
  find_library(${target}_ARCHIVE ${archive} REQUIRED)
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${target}_ARCHIVE})
endfunction()

find_package(Threads REQUIRED)
lade_static_library(third_party_crypto libcrypto.a)
lade_static_library(third_party_zlib libz.a)
lade_static_library(third_party_zstd libzstd.a)
lade_static_library(third_party_yaml libyaml.a)
lade_static_library(third_party_re2 libre2.a)
lade_static_library(third_party_lzma liblzma.a)
lade_static_library(third_party_sqlite libsqlite3.a)
lade_static_library(third_party_archive libarchive.a)
lade_static_library(third_party_seccomp libseccomp.a)
lade_static_library(third_party_cap libcap.a)
lade_static_library(third_party_xxhash libxxhash.a)
target_link_libraries(third_party_sqlite INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_libraries(third_party_lzma INTERFACE Threads::Threads)
target_link_libraries(third_party_crypto INTERFACE Threads::Threads ${CMAKE_DL_LIBS})

# libcurl's archive, what it stands on, and what stands for its parts that have no archive.
set(curl_archives)
foreach(archive IN ITEMS nghttp2 psl idn2 unistring ssh2 ssl brotlidec brotlicommon)
  lade_static_library(third_party_${archive} lib${archive}.a)
  list(APPEND curl_archives third_party_${archive})
endforeach()
add_library(lade_curl_absent STATIC "${CMAKE_CURRENT_LIST_DIR}/curl_absent.cpp")
lade_static_library(third_party_curl libcurl.a)
target_link_libraries(third_party_curl INTERFACE ${curl_archives} lade_curl_absent third_party_crypto
  third_party_zstd third_party_zlib)
target_link_libraries(third_party_psl INTERFACE third_party_idn2 third_party_unistring)
target_link_libraries(third_party_idn2 INTERFACE third_party_unistring)
target_link_libraries(third_party_ssl INTERFACE third_party_crypto)
target_link_libraries(third_party_ssh2 INTERFACE third_party_crypto)
target_link_libraries(third_party_brotlidec INTERFACE third_party_brotlicommon)
