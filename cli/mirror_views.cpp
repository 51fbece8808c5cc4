#include "cli/mirror_views.hpp"

#include "base/text.hpp"

#include <nlohmann/json.hpp>

namespace lade::cli {

namespace {

using nlohmann::ordered_json;
using registry::BlobRole;
using registry::MirrorProblem;

constexpr std::size_t k_most_names = 5;

std::string_view word(MirrorProblem::Kind kind) {
  switch (kind) {
    case MirrorProblem::Kind::missing:
      return "missing";
    case MirrorProblem::Kind::damaged:
      return "damaged";
    case MirrorProblem::Kind::unusable:
      return "unusable";
    case MirrorProblem::Kind::diff_id:
      return "diffid";
    case MirrorProblem::Kind::rejected:
      return "rejected";
  }
  return "";
}

std::string_view word(BlobRole role) {
  switch (role) {
    case BlobRole::manifest:
      return "manifest";
    case BlobRole::config:
      return "config";
    case BlobRole::layer:
      return "layer";
  }
  return "";
}

std::string names_text(const std::set<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() == k_most_names) {
      shown.push_back(str("and ", names.size() - k_most_names, " more"));
      break;
    }
    shown.push_back(printable(name));
  }
  return join(shown, ", ");
}

ordered_json problem_json(const MirrorProblem& problem) {
  return {{"kind", word(problem.kind)},
          {"role", word(problem.role)},
          {"digest", problem.blob.digest.text()},
          {"size", problem.blob.size},
          {"text", problem.text},
          {"images", problem.names}};
}

}  // namespace

std::string mirror_report_text(const MirrorReportView& view) {
  const registry::MirrorCheck& check = view.check;
  std::string text;
  for (const MirrorProblem& problem : check.problems) {
    text += str(word(problem.kind), ' ', word(problem.role), ' ', problem.blob.digest.text(), ": ",
                printable(problem.text), " (needed by ", names_text(problem.names), ")\n");
  }
  if (view.repair != nullptr) {
    for (const std::string& failure : view.repair->failures) text += str(printable(failure), '\n');
    text += str("repaired: ", view.repair->fetched, " blobs fetched (",
                human_size(view.repair->bytes), ")\n");
  }
  const std::size_t broken = check.broken_names().size();
  text += str(printable(view.place), ": ", check.names.size(), " images, ", check.blobs, " blobs, ",
              human_size(check.bytes), ": ");
  if (check.judged > 0) text += str(check.judged, " asked about by the policy: ");
  if (check.is_whole()) {
    text += "all is there and right";
  } else {
    text += str(check.problems.size(), " problems in ", broken, " images");
  }
  if (check.unneeded_blobs > 0) {
    text += str("; ", check.unneeded_blobs, " blobs (", human_size(check.unneeded_bytes),
                ") that no image needs");
  }
  return text + '\n';
}

std::string mirror_report_json(const MirrorReportView& view) {
  const registry::MirrorCheck& check = view.check;
  ordered_json problems = ordered_json::array();
  for (const MirrorProblem& problem : check.problems) problems.push_back(problem_json(problem));
  ordered_json json{{"place", view.place},
                    {"whole", check.is_whole()},
                    {"images", check.names},
                    {"brokenImages", check.broken_names()},
                    {"blobs", check.blobs},
                    {"bytes", check.bytes},
                    {"judgedImages", check.judged},
                    {"unneededBlobs", check.unneeded_blobs},
                    {"unneededBytes", check.unneeded_bytes},
                    {"problems", std::move(problems)}};
  if (view.repair != nullptr) {
    json["repair"] = {{"fetched", view.repair->fetched},
                      {"bytes", view.repair->bytes},
                      {"failures", view.repair->failures}};
  }
  return json.dump(4, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace lade::cli
