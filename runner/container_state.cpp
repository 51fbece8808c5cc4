#include "runner/container_state.hpp"

#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"

#include <map>

namespace lade::runner {

namespace {

/// The version of the specification that state documents follow.
constexpr std::string_view k_version = "1.2.0";

std::map<std::string, std::string> sorted(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  return {pairs.begin(), pairs.end()};
}

void write_annotations(JsonWriter& json, const ContainerState& state) {
  if (state.annotations.empty()) return;
  json.name("annotations").text_map(sorted(state.annotations));
}

}  // namespace

std::string_view name_of(ContainerStatus status) {
  switch (status) {
    case ContainerStatus::creating:
      return "creating";
    case ContainerStatus::created:
      return "created";
    case ContainerStatus::running:
      return "running";
    case ContainerStatus::paused:
      return "paused";
    case ContainerStatus::stopped:
      return "stopped";
  }
  return "unknown";
}

std::string write_container_state(const ContainerState& state) {
  JsonWriter json;
  json.begin_object().member("id", state.id);
  json.member("pid", static_cast<std::uint64_t>(state.init.pid));
  json.member("startTime", state.init.start_time).member("boot", state.init.boot);
  json.member("bundle", state.bundle).member("rootfs", state.rootfs);
  json.member("created", state.created).member("owner", state.owner);
  json.member("cgroup", state.cgroup).member("cgroupParents", state.cgroup_parents);
  json.member("systemdUnit", state.systemd_unit);
  json.name("ownPidNamespace").flag(state.own_pid_namespace);
  json.member("hostedMount", state.hosted_mount);
  write_annotations(json, state);
  json.end_object();
  return json.take();
}

ContainerState parse_container_state(std::string_view text) {
  const JsonValue document = parse_json(text, "container state");
  const JsonNode node(document, "container state");
  ContainerState state;
  state.id = node.get("id").text();
  state.init.pid = static_cast<pid_t>(node.get("pid").size());
  state.init.start_time = node.get("startTime").size();
  state.init.boot = node.get("boot").text();
  state.bundle = node.get("bundle").text();
  state.rootfs = node.get("rootfs").text();
  state.created = node.get("created").text();
  state.owner = node.get("owner").text();
  state.cgroup = node.get("cgroup").text();
  state.cgroup_parents = node.get("cgroupParents").size();
  state.systemd_unit = node.get("systemdUnit").text();
  state.own_pid_namespace = node.get("ownPidNamespace").flag();
  state.hosted_mount = node.get("hostedMount").size();
  if (const auto annotations = node.find("annotations")) {
    for (auto& [name, value] : annotations->text_map()) state.annotations.emplace_back(name, value);
  }
  return state;
}

std::string state_document(const ContainerState& state, ContainerStatus status, pid_t pid) {
  JsonWriter json;
  json.begin_object().member("ociVersion", k_version).member("id", state.id);
  json.member("status", name_of(status));
  json.member("pid", static_cast<std::uint64_t>(pid)).member("bundle", state.bundle);
  write_annotations(json, state);
  json.end_object();
  return json.take();
}

std::string process_state_document(const ContainerState& state, std::string_view metadata) {
  JsonWriter json;
  json.begin_object().member("ociVersion", k_version);
  json.name("fds").texts({"seccompFd"});
  json.member("pid", static_cast<std::uint64_t>(state.init.pid));
  json.maybe_member("metadata", metadata);
  json.name("state").raw(state_document(state, ContainerStatus::creating, state.init.pid));
  json.end_object();
  return json.take();
}

std::string long_state_document(const ContainerState& state, ContainerStatus status) {
  const bool is_gone = status == ContainerStatus::stopped;
  JsonWriter json;
  json.begin_object().member("ociVersion", k_version).member("id", state.id);
  json.member("pid", is_gone ? 0 : static_cast<std::uint64_t>(state.init.pid));
  json.member("status", name_of(status)).member("bundle", state.bundle);
  json.member("rootfs", state.rootfs).member("created", state.created);
  write_annotations(json, state);
  json.member("owner", state.owner).end_object();
  return json.take();
}

}  // namespace lade::runner
