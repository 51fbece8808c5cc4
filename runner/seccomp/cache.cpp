#include "runner/seccomp/cache.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "runner/seccomp/compile.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <span>

namespace lade::runner {

namespace {

/// Changes with what compile_seccomp() makes of the same filter.
constexpr std::string_view k_generation = "2";

constexpr std::size_t k_hash_size = 64;
constexpr std::size_t k_largest = k_hash_size + BPF_MAXINSNS * sizeof(sock_filter);

std::string hash_of(std::string_view text) {
  Hasher hasher(HashAlgorithm::sha256);
  hasher.update(as_bytes(text));
  return hasher.finish_hex();
}

std::string_view bytes_of(const SeccompProgram& program) {
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

/// A hash and the instructions that it is of.
std::optional<SeccompProgram> parse(std::string_view content) {
  if (content.size() <= k_hash_size || content.size() > k_largest) return std::nullopt;
  const std::string_view bytes = content.substr(k_hash_size);
  if (bytes.size() % sizeof(sock_filter) != 0) return std::nullopt;
  if (hash_of(bytes) != content.substr(0, k_hash_size)) return std::nullopt;
  SeccompProgram program(bytes.size() / sizeof(sock_filter));
  std::memcpy(program.data(), bytes.data(), bytes.size());
  return program;
}

bool is_own(const struct stat& st) {
  return S_ISREG(st.st_mode) && st.st_uid == ::geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::optional<SeccompProgram> find(const std::string& directory, const std::string& key) {
  const Fd file(::open(str(directory, '/', key).c_str(),
                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid() || !is_own(stat_of(file, key))) return std::nullopt;
  return parse(read_whole(file, k_largest, key));
}

void store(const std::string& directory, const std::string& key, const SeccompProgram& program) {
  const Directory place = Directory::ensure(directory, 0700);
  const std::string name = str(".", key, '.', ::getpid());
  const std::string_view bytes = bytes_of(program);
  {
    const Fd file = place.open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    write_all(file, as_bytes(hash_of(bytes) + std::string(bytes)), name);
  }
  // Only whole: whoever reads it meanwhile reads the old one, or nothing.
  if (::renameat(place.fd(), name.c_str(), place.fd(), key.c_str()) != 0) {
    ::unlinkat(place.fd(), name.c_str(), 0);
  }
}

}  // namespace

std::string cache_key(const SpecSeccomp& filter) {
  // Lengths before texts: no two filters are the same text.
  std::string text = str(k_generation, ' ', seccomp_library_version(), '\n');
  const auto add = [&](const std::string& word) { text += str(word.size(), ':', word, ' '); };
  const auto add_all = [&](const std::vector<std::string>& words) {
    text += str(words.size(), ' ');
    for (const std::string& word : words) add(word);
  };
  const auto add_number = [&](const std::optional<std::uint32_t>& number) {
    text += number ? str(*number, ' ') : "- ";
  };
  add(filter.default_action);
  add_number(filter.default_errno);
  add_all(filter.architectures);
  for (const SpecSyscallRule& rule : filter.syscalls) {
    add_all(rule.names);
    add(rule.action);
    add_number(rule.errno_value);
    for (const SpecSyscallArgument& each : rule.arguments) {
      text += str(each.index, ' ', each.value, ' ', each.value_two, ' ');
      add(each.op);
    }
    text += '\n';
  }
  return hash_of(text);
}

SeccompProgram find_or_compile(const std::string& directory, const std::string& key,
                               const std::function<SeccompProgram()>& compile) {
  try {
    if (auto found = find(directory, key)) return *std::move(found);
  } catch (const Error&) {
    // As if it were not there.
  }
  SeccompProgram program = compile();
  try {
    store(directory, key, program);
  } catch (const Error&) {
    // The next start compiles again.
  }
  return program;
}

}  // namespace lade::runner
