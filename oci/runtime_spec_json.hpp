// The OCI runtime configuration as JSON. Every property of runtime-spec 1.3 for Linux is read and
// checked; properties that are unknown are ignored, as config.md "Extensibility" wants it.
#pragma once

#include "oci/runtime_spec.hpp"

#include <string_view>

namespace lade {

/// A config.json. Throws InvalidData naming the JSON path of what is missing, of a wrong type, out
/// of range or in contradiction with something else. Without `process` (which `create` permits and
/// `start` does not) the spec has no `process.args`.
Spec parse_runtime_spec(std::string_view json);

/// A process of its own, as `exec --process` takes it. Throws InvalidData.
SpecProcess parse_runtime_process(std::string_view json);

/// Resources of their own, as `update --resources` takes them. Throws InvalidData.
SpecResources parse_runtime_resources(std::string_view json);

}  // namespace lade
