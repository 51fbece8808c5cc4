#include "runner/program_mapping.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <elf.h>
#include <link.h>
#include <linux/prctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace lade::runner {

namespace {

constexpr std::uintptr_t k_page = 4096;

std::uintptr_t page_of(std::uintptr_t address) {
  return address & ~(k_page - 1);
}

/// A part of the program as the kernel mapped it from the file: whole pages.
struct Part {
  std::uintptr_t begin;
  std::uintptr_t end;
  off_t offset;
  int protection;
};

/// What is mapped of the program, at most as much as programs have.
struct Layout {
  std::array<Part, 8> parts{};
  std::size_t count = 0;
  /// Read-only since the dynamic linker has relocated it; empty if there is nothing.
  std::uintptr_t relocated_begin = 0;
  std::uintptr_t relocated_end = 0;
  bool known = true;
};

int protection_of(const ElfW(Phdr) & segment) {
  int protection = PROT_NONE;
  if ((segment.p_flags & PF_R) != 0) protection |= PROT_READ;
  if ((segment.p_flags & PF_W) != 0) protection |= PROT_WRITE;
  if ((segment.p_flags & PF_X) != 0) protection |= PROT_EXEC;
  return protection;
}

void add_segment(Layout& layout, const ElfW(Phdr) & segment, std::uintptr_t base) {
  if (segment.p_type == PT_GNU_RELRO) {
    layout.relocated_begin = page_of(base + segment.p_vaddr);
    layout.relocated_end = page_of(base + segment.p_vaddr + segment.p_memsz);
  }
  if (segment.p_type != PT_LOAD || segment.p_filesz == 0) return;
  if (layout.count == layout.parts.size()) {
    layout.known = false;
    return;
  }
  const std::uintptr_t begin = page_of(base + segment.p_vaddr);
  const std::uintptr_t end = page_of(base + segment.p_vaddr + segment.p_filesz + k_page - 1);
  layout.parts.at(layout.count++) = {begin, end, static_cast<off_t>(page_of(segment.p_offset)),
                                     protection_of(segment)};
}

/// The first object that the dynamic linker tells of is the program.
int take_program(struct dl_phdr_info* object, std::size_t, void* result) {
  auto& layout = *static_cast<Layout*>(result);
  for (std::size_t i = 0; i < object->dlpi_phnum; ++i) {
    add_segment(layout, object->dlpi_phdr[i], object->dlpi_addr);
  }
  return 1;
}

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

/// Whether the file is what this process runs: what was started as the dynamic linker's argument
/// is not. The first page has the program's headers and its build id.
bool is_mapped_from(const Layout& layout, const Fd& file) {
  if (!layout.known || layout.count == 0) return false;
  const Part& first = layout.parts.front();
  std::array<char, k_page> page{};
  if (first.offset != 0 || (first.protection & PROT_READ) == 0) return false;
  if (::pread(file.get(), page.data(), page.size(), 0) != static_cast<ssize_t>(page.size())) {
    return false;
  }
  return std::memcmp(page.data(), pointer(first.begin), page.size()) == 0;
}

/// What is never written is the same in the file.
bool map_again(const Part& part, const Fd& file) {
  return ::mmap(pointer(part.begin), part.end - part.begin, part.protection,
                MAP_PRIVATE | MAP_FIXED, file.get(), part.offset) != MAP_FAILED;
}

/// What was written, as the addresses that were relocated, goes into memory without a file.
bool move_to_memory(const Part& part) {
  const std::size_t size = part.end - part.begin;
  void* copy = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (copy == MAP_FAILED) return false;
  std::memcpy(copy, pointer(part.begin), size);
  return ::mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, pointer(part.begin)) !=
         MAP_FAILED;
}

/// Both are one step for the kernel: the code that calls them is there before and after.
bool replace(const Layout& layout, const Fd& file) {
  for (std::size_t i = 0; i < layout.count; ++i) {
    const Part& part = layout.parts.at(i);
    const bool is_written = (part.protection & PROT_WRITE) != 0;
    if (!(is_written ? move_to_memory(part) : map_again(part, file))) return false;
  }
  const std::size_t relocated = layout.relocated_end - layout.relocated_begin;
  return relocated == 0 || ::mprotect(pointer(layout.relocated_begin), relocated, PROT_READ) == 0;
}

/// The numbers of proc_pid_stat(5), from the third field on: what the kernel must be told anew,
/// unchanged, along with the file.
std::array<std::uint64_t, 52> numbers_of_self() {
  std::array<std::uint64_t, 52> numbers{};
  const std::string stat = read_file("/proc/self/stat", 4096);
  const std::vector<std::string> words = split(stat.substr(stat.rfind(')') + 2), ' ');
  for (std::size_t i = 1; i < words.size() && i + 2 < numbers.size(); ++i) {
    numbers.at(i + 2) = parse_number<std::uint64_t>(trim(words[i])).value_or(0);
  }
  return numbers;
}

bool tell_kernel(const Fd& file) {
  const auto field = [numbers = numbers_of_self()](std::size_t number) {
    return numbers.at(number - 1);
  };
  struct prctl_mm_map map {};
  map.start_code = field(26);
  map.end_code = field(27);
  map.start_stack = field(28);
  map.start_data = field(45);
  map.end_data = field(46);
  map.start_brk = field(47);
  map.brk = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  map.arg_start = field(48);
  map.arg_end = field(49);
  map.env_start = field(50);
  map.env_end = field(51);
  map.exe_fd = static_cast<std::uint32_t>(file.get());
  // It refuses while anything is still mapped from the file's old mount.
  return ::prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0) == 0;
}

}  // namespace

bool map_program_from(const Fd& file) {
#if defined(__SANITIZE_ADDRESS__)
  // Between its variables a program with AddressSanitizer has what nobody may read.
  static_cast<void>(file);
  return false;
#endif
  Layout layout;
  ::dl_iterate_phdr(take_program, &layout);
  return is_mapped_from(layout, file) && replace(layout, file) && tell_kernel(file);
}

}  // namespace lade::runner
