#include "runner/personality.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <sys/personality.h>

namespace lade::runner {

void set_personality(const SpecPersonality& wanted) {
  const unsigned long domain = wanted.domain == "LINUX32" ? PER_LINUX32 : PER_LINUX;
  check_syscall(::personality(domain),
                [&] { return str("set the personality ", quoted(wanted.domain)); });
}

}  // namespace lade::runner
