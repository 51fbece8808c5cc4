// The steps of a plan that concern files and mounts, as lines for bash; `$root` is where the
// container's root is. Pure.
#pragma once

#include "runner/cgroups/host.hpp"
#include "runner/plan.hpp"

#include <string>
#include <vector>

namespace lade::runner {

std::string shell_lines(const step::AttachRoot& step);
/// `context` is the name of a shell variable with another option, or empty.
std::string shell_lines(const step::MountFilesystem& step, const std::string& context);
std::string shell_lines(const step::MountProc& step);
std::string shell_lines(const step::MountCgroups& step,
                        const std::vector<CgroupHierarchy>& hierarchies);
std::string shell_lines(const step::BindMount& step);
std::string shell_lines(const step::Remount& step);
std::string shell_lines(const step::ReadonlyMount& step);
std::string shell_lines(const step::ProvideFile& step);
std::string shell_lines(const step::MakeDevices& step);
std::string shell_lines(const step::MakeLink& step);
std::string shell_lines(const step::MakeDirectory& step);
std::string shell_lines(const step::MakeFile& step);
std::string shell_lines(const step::MaskPath& step);
std::string shell_lines(const step::ReadonlyPath& step);

/// The words of mount(8) that set and clear the attributes of one mount: `ro`, `suid`.
std::vector<std::string> mount_words(std::uint64_t set, std::uint64_t cleared);

/// `--make-rprivate`; empty if the flags say nothing of it.
std::string propagation_word(const MountFlags& flags);

}  // namespace lade::runner
