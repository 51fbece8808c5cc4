// systemd's manager, reached by the message bus. The only one that knows libsystemd, which is
// loaded when a container asks for it.
#pragma once

#include "runner/cgroups/systemd_unit.hpp"

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace lade::runner {

/// A connection to the manager. org.freedesktop.systemd1(5).
class SystemdManager {
 public:
  /// Throws Error, with a hint, where there is no systemd to be asked.
  explicit SystemdManager(SystemdInstance instance);
  SystemdManager(const SystemdManager&) = delete;
  SystemdManager& operator=(const SystemdManager&) = delete;
  ~SystemdManager();

  /// Makes a scope that holds a process of ours, and waits until it is there. Throws Busy if there
  /// is a unit of that name, Error for what systemd refuses.
  void start_scope(const SystemdUnit& unit, pid_t process, std::string_view description,
                   const std::vector<SystemdProperty>& properties);
  /// Changes limits until the next boot. Throws Error.
  void set_properties(const std::string& unit, const std::vector<SystemdProperty>& properties);
  /// Ends it, whatever state it is in, and waits until it is gone. None of that name is no error.
  void stop(const std::string& unit);

 private:
  class Bus;
  std::unique_ptr<Bus> bus_;
};

}  // namespace lade::runner
