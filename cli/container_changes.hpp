// What a container or an image changes, without what every container gets from its host.
#pragma once

#include "cli/verbs.hpp"
#include "snapshot/root_view.hpp"
#include "snapshot/tree_changes.hpp"

#include <stop_token>
#include <string>
#include <vector>

namespace lade::cli {

/// The files of the container or image of that name. Throws NotFound.
snapshot::RootView view_of(const App& app, store::Store& store, const std::string& name);

/// What it is compared with if nothing is said: a container's image, what an image stands on.
snapshot::RootView base_of(const App& app, store::Store& store, const std::string& name);

/// Whether that path is where a container has something of its host's: /proc, /etc/hosts and the
/// like, podman's list.
bool is_of_the_host(const std::string& path);

}  // namespace lade::cli
