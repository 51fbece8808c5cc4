// Lade's own executable file, out of reach of containers (CVE-2019-5736): it runs from a read-only
// mount that no mount namespace has, so that whoever gets hold of /proc/PID/exe can neither write
// to the file nor make the mount writable.
#pragma once

#include <string>
#include <vector>

namespace lade::runner {

/// Maps this program anew from such a mount, or, where the kernel does not let it, executes it
/// again from there with these words and this environment. Does nothing if it runs from a read-only
/// mount already, or if this process may not make mounts and so starts no container. To be called
/// before there is a second thread. Throws SystemError.
void seal_own_program(const std::vector<std::string>& words,
                      const std::vector<std::string>& environment);

}  // namespace lade::runner
