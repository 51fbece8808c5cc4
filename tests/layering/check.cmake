# Who includes whom: cmake -DROOT=<source tree> -DEDGES=<file> -P check.cmake
# EDGES sets LADE_MODULES and LADE_USES_<module>, as written at configure time. Linking static libraries
# does not stop an #include of a folder that a module must not know; this does. Two rules:
# a module includes only itself and what it uses, directly or not; a third-party library is known by one file.
cmake_minimum_required(VERSION 3.25)
include("${EDGES}")
set(violations "")

# The modules that `name` may include, itself among them.
function(reachable_modules name result)
  set(reached "${name}")
  set(waiting "${name}")
  while(waiting)
    list(POP_FRONT waiting current)
    foreach(used IN LISTS LADE_USES_${current})
      if(NOT used IN_LIST reached)
        list(APPEND reached "${used}")
        list(APPEND waiting "${used}")
      endif()
    endforeach()
  endwhile()
  set(${result} "${reached}" PARENT_SCOPE)
endfunction()

# Which library a system header belongs to; empty for the system's own and the language's.
function(library_of header result)
  set(library "")
  foreach(rule IN ITEMS
          "curl=^curl/"
          "sqlite=^sqlite3"
          "libarchive=^archive"
          "isa-l=^(isa-l|igzip_lib)"
          "zstd=^zstd"
          "zlib=^zlib\\.h"
          "lzma=^lzma\\.h"
          "openssl=^openssl/"
          "seccomp=^seccomp\\.h"
          "cap=^sys/capability\\.h"
          "CLI11=^CLI/"
          "nlohmann=^nlohmann/"
          "re2=^re2/"
          "xxhash=^xxhash\\.h"
          "yaml=^yaml\\.h")
    string(REGEX MATCH "^([^=]+)=(.*)$" ignored "${rule}")
    set(name "${CMAKE_MATCH_1}")
    if(header MATCHES "${CMAKE_MATCH_2}")
      set(library "${name}")
    endif()
  endforeach()
  set(${result} "${library}" PARENT_SCOPE)
endfunction()

foreach(module IN LISTS LADE_MODULES)
  reachable_modules("${module}" allowed)
  file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${module}/*.cpp" "${ROOT}/${module}/*.hpp")
  foreach(file IN LISTS files)
    file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      if(line MATCHES "include[ \t]*\"([^\"]+)\"")
        set(header "${CMAKE_MATCH_1}")
        if(NOT header MATCHES "^([^/]+)/")
          list(APPEND violations "${file}: include \"${header}\" with its folder")
        elseif(CMAKE_MATCH_1 IN_LIST LADE_MODULES AND NOT CMAKE_MATCH_1 IN_LIST allowed)
          list(APPEND violations "${file}: ${module}/ may not include \"${header}\"")
        elseif(NOT CMAKE_MATCH_1 IN_LIST LADE_MODULES)
          list(APPEND violations "${file}: \"${header}\" is in no module's folder")
        endif()
      elseif(line MATCHES "include[ \t]*<([^>]+)>")
        set(header "${CMAKE_MATCH_1}")
        library_of("${header}" library)
        if(library)
          list(APPEND knows_${library} "${file}")
          list(APPEND libraries "${library}")
          if(file MATCHES "\\.hpp$")
            list(APPEND violations "${file}: a header may not include <${header}>")
          endif()
        endif()
      endif()
    endforeach()
  endforeach()
endforeach()

# One file knows each library, but for JSON: its codecs are a few files (each costs seconds to compile).
set(limit_nlohmann 12)
# Hashes, which everything needs, and public keys, which few need.
set(limit_openssl 2)
list(REMOVE_DUPLICATES libraries)
foreach(library IN LISTS libraries)
  list(REMOVE_DUPLICATES knows_${library})
  list(LENGTH knows_${library} count)
  set(limit 1)
  if(DEFINED limit_${library})
    set(limit ${limit_${library}})
  endif()
  if(count GREATER limit)
    list(JOIN knows_${library} " " where)
    list(APPEND violations "${library} is known by ${count} files, not ${limit}: ${where}")
  endif()
endforeach()

if(violations)
  list(JOIN violations "\n  " text)
  message(FATAL_ERROR "layering:\n  ${text}")
endif()
