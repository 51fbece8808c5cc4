#include "cli/skopeo_names.hpp"

#include "base/text.hpp"
#include "oci/reference.hpp"
#include "registry/transports/transport_name.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace lade::cli {

namespace {

constexpr std::array<std::string_view, 9> k_transports{
    "containers-storage", "dir", "docker", "docker-archive", "docker-daemon", "oci",
    "oci-archive",        "sif", "tarball"};

constexpr std::array<std::string_view, 3> k_standard_output{"/dev/stdout", "/dev/fd/1",
                                                            "/proc/self/fd/1"};

/// skopeo's names for what registries answer, which people search its output for.
struct Words {
  std::string_view code;
  std::string_view words;
};
constexpr Words k_words[] = {
    {"MANIFEST_UNKNOWN", "manifest unknown"}, {"NAME_UNKNOWN", "name unknown"},
    {"UNAUTHORIZED", "unauthorized"},         {"DENIED", "denied"},
    {"TOOMANYREQUESTS", "toomanyrequests"},
};

std::string in_double_quotes(std::string_view text) {
  return str('"', text, '"');
}

/// What skopeo says of an image's name; empty if it is right.
std::string problem_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) {
    return str("Invalid image name ", in_double_quotes(text),
               ", expected colon-separated transport:reference");
  }
  const std::string transport = text.substr(0, colon);
  const bool is_known = transport == "store" || std::find(k_transports.begin(), k_transports.end(),
                                                          transport) != k_transports.end();
  if (!is_known) {
    return str("Invalid image name ", in_double_quotes(text), ", unknown transport ",
               in_double_quotes(transport));
  }
  if (transport != "docker") return "";
  const std::string rest = text.substr(colon + 1);
  if (!rest.starts_with("//")) {
    return str("docker: image reference ", rest, " does not start with //");
  }
  try {
    Reference::parse(std::string_view(rest).substr(2));
  } catch (const Error&) {
    const bool has_upper = std::any_of(rest.begin(), rest.end(), [](char c) {
      return std::isupper(static_cast<unsigned char>(c)) != 0;
    });
    const bool is_only_case = has_upper && [&] {
      try {
        Reference::parse(ascii_lower(rest.substr(2)));
        return true;
      } catch (const Error&) {
        return false;
      }
    }();
    return is_only_case ? "invalid reference format: repository name must be lowercase"
                        : "invalid reference format";
  }
  return "";
}

void check_name(const std::string& text, std::string_view before) {
  const std::string problem = problem_of(text);
  if (!problem.empty()) throw UsageError(str(before, ": ", problem));
}

/// Checks of the verbs that name images; there is nothing to check of the others.
template <class Arguments>
void check(const Arguments& /*arguments*/) {}

void check(const CopyArguments& copy) {
  if (!copy.more_destinations.empty()) throw WrongArity("Exactly two arguments expected");
  check_name(copy.source, "Invalid source name " + copy.source);
  check_name(copy.destination, "Invalid destination name " + copy.destination);
}

void check(const InspectArguments& inspect) {
  if (!inspect.more_references.empty()) throw WrongArity("Exactly one argument expected");
  check_name(inspect.reference, "Error parsing image name " + in_double_quotes(inspect.reference));
}

void check(const DeleteArguments& remove) {
  check_name(remove.reference, "Invalid source name " + remove.reference);
  const std::string transport = remove.reference.substr(0, remove.reference.find(':'));
  if (transport != "docker" && transport != "oci" && transport != "store") {
    throw UsageError(str("Deleting images not implemented for ", transport, ": images"));
  }
}

void check(const ListTagsArguments& list_tags) {
  const std::string& text = list_tags.repository;
  const std::string transport = text.substr(0, text.find(':'));
  const bool is_known =
      std::find(k_transports.begin(), k_transports.end(), transport) != k_transports.end();
  if (!is_known || transport == text) {
    throw UsageError(str("Invalid ", in_double_quotes(text), ": does not specify a transport"));
  }
  if (transport != "docker" && transport != "docker-archive") {
    throw UsageError(str("Unsupported transport '", transport,
                         "' for tag listing. Only supported: docker, docker-archive"));
  }
  if (transport == "docker-archive") return;
  const std::string problem = problem_of(text);
  if (!problem.empty()) throw UsageError(problem);
  const Reference reference = Reference::parse(std::string_view(text).substr(9));
  if (reference.tag() || reference.digest()) {
    throw UsageError("No tag or digest allowed in reference");
  }
}

}  // namespace

void check_names(const VerbArguments& arguments) {
  std::visit([](const auto& verb) { check(verb); }, arguments);
}

bool names_standard_output(const std::string& name) {
  const std::string path = name.substr(name.find(':') + 1);
  return std::any_of(k_standard_output.begin(), k_standard_output.end(), [&](std::string_view out) {
    return path == out || path.starts_with(str(out, ':'));
  });
}

std::string skopeo_message(const Error& error) {
  std::string text = error.what();
  for (const Words& known : k_words) {
    const bool is_said = text.find(known.words) != std::string::npos;
    if (text.find(known.code) != std::string::npos && !is_said) text += str(": ", known.words);
  }
  if (!error.hint().empty()) text += str(" (", error.hint(), ')');
  return text;
}

}  // namespace lade::cli
