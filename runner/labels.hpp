// The labels of mandatory access control: the AppArmor profile and the SELinux label that the
// program gets, and the SELinux label of file systems. All of it goes through a procfs of lade's
// own, which nothing in the container can have replaced (CVE-2019-16884, CVE-2025-52881).
#pragma once

#include "base/fd.hpp"
#include "runner/plan.hpp"

#include <string>

namespace lade::runner {

/// Child: gives the program that this process becomes its labels. Throws Error where the kernel has
/// no such module; a profile `unconfined` is what a process has there anyway.
void set_labels(const Fd& proc, const step::SetLabels& step);

/// Child: whether the kernel has SELinux.
bool has_selinux(const Fd& proc);

/// Child: whether file systems of this type are mounted with a label of their own.
bool takes_label(const std::string& type);

}  // namespace lade::runner
