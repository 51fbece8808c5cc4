#include "runner/creation.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "oci/runtime_spec_json.hpp"
#include "runner/console_socket.hpp"
#include "runner/container_cgroup.hpp"
#include "runner/descriptor_message.hpp"
#include "runner/hosted_root.hpp"
#include "runner/namespaces.hpp"
#include "runner/pid_file.hpp"
#include "runner/resctrl.hpp"
#include "runner/start_socket.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace lade::runner {

namespace {

constexpr std::size_t k_config_cap = 16 * 1024 * 1024;

struct Free {
  void operator()(char* text) const noexcept { ::free(text); }
};

/// The path as it is from everywhere. Throws SystemError if there is nothing.
std::string absolute(const std::string& path) {
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  if (!real) throw SystemError(errno, str("find ", quoted(path)));
  return real.get();
}

std::string below(const std::string& directory, const std::string& path) {
  return path.starts_with('/') ? path : str(directory, '/', path);
}

bool has_new_pid_namespace(const Spec& spec) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(), [](const SpecNamespace& each) {
    return each.kind == NamespaceKind::pid && each.path.empty();
  });
}

bool has_mount_namespace(const Spec& spec) {
  return std::any_of(spec.namespaces.begin(), spec.namespaces.end(),
                     [](const SpecNamespace& each) { return each.kind == NamespaceKind::mount; });
}

void check_console(const Spec& spec, const NewContainer& container, Attention attention) {
  const bool has_socket = !container.console_socket.empty();
  if (spec.process.terminal && !has_socket && attention == Attention::detached) {
    throw UsageError("a terminal needs --console-socket when nobody stays with the container");
  }
  if (!spec.process.terminal && has_socket) {
    throw UsageError("--console-socket: the configuration asks for no terminal");
  }
}

}  // namespace

Bundle open_bundle(const NewContainer& container) {
  Bundle bundle;
  bundle.path = absolute(container.bundle);
  bundle.config = read_file(below(bundle.path, container.config), k_config_cap);
  Spec& spec = bundle.spec;
  spec = parse_runtime_spec(bundle.config);
  if (spec.process.args.empty()) throw InvalidData("config.json: process.args: there is none");
  if (spec.root_path.empty()) throw InvalidData("config.json: root.path: there is none");
  spec.root_path = absolute(below(bundle.path, spec.root_path));
  // To join the mount namespace that lade is in is to have none: its root must remain what it is.
  std::erase_if(spec.namespaces, [](const SpecNamespace& each) {
    return each.kind == NamespaceKind::mount && !each.path.empty() && is_own_namespace(each);
  });
  return bundle;
}

Creation::Creation(const Runtime& runtime, const NewContainer& container, Attention attention)
    : runtime_(runtime), container_(container) {
  Bundle bundle = open_bundle(container);
  spec_ = std::move(bundle.spec);
  check_console(spec_, container, attention);
  if (!container.console_socket.empty()) {
    console_ = connect_console_socket(container.console_socket);
  }

  state_.id = container.id;
  state_.bundle = bundle.path;
  state_.rootfs = spec_.root_path;
  state_.created = format_rfc3339(now());
  state_.owner = ::geteuid() == 0 ? "root" : str(::geteuid());
  state_.own_pid_namespace = has_new_pid_namespace(spec_);
  state_.annotations = spec_.annotations;

  home_ = runtime.root.reserve(container.id);
  try {
    home_->write_config(bundle.config);
    if (!has_mount_namespace(spec_)) state_.hosted_mount = attach_hosted_root(state_.rootfs);
    // Whoever is killed from here on leaves a trace of what delete has to look for.
    announce_container_cgroup(spec_, runtime.cgroups, state_);
    home_->write_state(state_);
    if (runtime.cgroups != CgroupManager::none) cgroup_.emplace(spec_, runtime.cgroups, state_.id);
  } catch (...) {
    if (cgroup_) cgroup_->remove();
    detach_hosted_root(state_.rootfs, state_.hosted_mount);
    runtime.root.remove(container.id);
    throw;
  }
}

Creation::~Creation() {
  if (kept_) return;
  try {
    remove();
    if (!container_.pid_file.empty()) ::unlink(container_.pid_file.c_str());
  } catch (const std::exception& error) {
    if (runtime_.warn) runtime_.warn(error.what());
  }
}

void Creation::remove() {
  kept_ = true;
  const auto lock = runtime_.root.lock(*home_);
  // Somebody else has deleted it, and the id may be another container's by now.
  if (!lock) return;
  if (cgroup_) cgroup_->remove();
  detach_hosted_root(state_.rootfs, state_.hosted_mount);
  if (spec_.intel_rdt) leave_resctrl(*spec_.intel_rdt, state_.id);
  if (owes_poststop_) {
    const std::string document = state_document(state_, ContainerStatus::stopped, 0);
    for (const std::string& problem :
         run_every_hook(HookMoment::poststop, spec_.hooks.poststop, document)) {
      if (runtime_.warn) runtime_.warn(problem);
    }
  }
  runtime_.root.remove(container_.id);
}

Plan Creation::make_plan(StartMode mode) const {
  PlanOptions options;
  options.bundle = state_.bundle;
  options.start = mode;
  options.lifetime = Lifetime::independent;
  const pid_t inside = state_.own_pid_namespace ? 1 : 0;
  options.create_container_state = state_document(state_, ContainerStatus::creating, inside);
  options.start_container_state = state_document(state_, ContainerStatus::created, inside);
  Plan plan = runner::make_plan(spec_, RootDirectory{spec_.root_path}, options);
  plan.preserved_fds = container_.preserved_fds;
  plan.seccomp_cache = runtime_.root.seccomp_cache();
  return plan;
}

StartDuties Creation::duties() {
  StartDuties duties;
  if (cgroup_) {
    duties.hierarchies = cgroup_->host().hierarchies;
    duties.birthplace = cgroup_->birthplace();
  }
  duties.place = [this](const Child& child) { return place(child); };
  duties.meet = [this](const Child&) { run_host_hooks(); };
  duties.warn = runtime_.warn;
  duties.take_seccomp_listener = [this](const Child&, Fd listener) { hand_on(listener); };
  if (console_.valid()) {
    duties.take_terminal = [this](Fd master) {
      set_console_size(master, spec_.process.console_size);
      send_console(console_, master);
    };
  }
  return duties;
}

std::vector<Fd> Creation::place(const Child& child) {
  std::vector<Fd> entrance;
  if (cgroup_) entrance = cgroup_->complete(state_, runtime_.warn);
  auto process = find_process(child.pid);
  if (!process) throw Error("the container's first process has ended before its start");
  state_.init = *std::move(process);
  home_->write_state(state_);
  if (spec_.intel_rdt) join_resctrl(*spec_.intel_rdt, state_.id, child.pid);
  return entrance;
}

void Creation::hand_on(const Fd& listener) {
  const SpecSeccomp& seccomp = *spec_.seccomp;
  if (seccomp.listener_path.empty()) {
    throw Error("seccomp: the filter asks for a listener and there is no listenerPath");
  }
  send_with_descriptors(connect_console_socket(seccomp.listener_path),
                        process_state_document(state_, seccomp.listener_metadata), {&listener, 1});
}

void Creation::run_host_hooks() {
  if (cgroup_) cgroup_->settle();
  owes_poststop_ = true;
  const auto run = [&](HookMoment moment, const std::vector<SpecHook>& hooks,
                       ContainerStatus status) {
    run_hooks(moment, hooks, state_document(state_, status, state_.init.pid));
  };
  // By the specification prestart hooks belong to `start`, so what they are told is `created`.
  run(HookMoment::prestart, spec_.hooks.prestart, ContainerStatus::created);
  run(HookMoment::create_runtime, spec_.hooks.create_runtime, ContainerStatus::creating);
}

void Creation::keep() {
  write_pid();
  kept_ = true;
}

void Creation::write_pid() const {
  if (!container_.pid_file.empty()) write_pid_file(container_.pid_file, state_.init.pid);
}

void Creation::run_poststart() {
  owes_poststop_ = true;
  run_hooks(HookMoment::poststart, spec_.hooks.poststart,
            state_document(state_, ContainerStatus::running, state_.init.pid));
}

}  // namespace lade::runner
