#include "cli/json_views.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

#include <nlohmann/json.hpp>

namespace lade::cli {

namespace {

using Json = nlohmann::ordered_json;

/// Prints as Go's encoding/json does: 4 spaces, `<`, `>`, `&` and the line separators escaped.
/// Those characters stand only inside strings, so the finished text can be searched for them.
std::string go_text(const Json& json) {
  const std::string plain = json.dump(4);
  std::string out;
  out.reserve(plain.size() + 1);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const std::string_view rest(plain.data() + i, plain.size() - i);
    if (plain[i] == '<') {
      out += "\\u003c";
    } else if (plain[i] == '>') {
      out += "\\u003e";
    } else if (plain[i] == '&') {
      out += "\\u0026";
    } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      out += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (rest.starts_with("\\b") || rest.starts_with("\\f")) {
      out += rest[1] == 'b' ? "\\u0008" : "\\u000c";
      ++i;
    } else if (rest.starts_with("\\\\")) {
      out += "\\\\";
      ++i;
    } else {
      out += plain[i];
    }
  }
  return out + "\n";
}

/// One tag as a JSON string; what is valid needs no escaping.
std::string tag_text(const std::string& tag) {
  if (is_valid_tag(tag)) return str('"', tag, '"');
  const std::string text = go_text(tag);
  return text.substr(0, text.size() - 1);
}

/// A time as Go prints it again after parsing: no zeros at the end of the fraction.
std::string go_time(std::string text) {
  const auto dot = text.find('.');
  if (dot == std::string::npos) return text;
  auto end = text.find_first_not_of("0123456789", dot + 1);
  if (end == std::string::npos) end = text.size();
  auto keep = end;
  while (keep > dot + 1 && text[keep - 1] == '0') --keep;
  if (keep == dot + 1) keep = dot;
  return text.erase(keep, end - keep);
}

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// Copies members that are there and not empty, as Go's `omitempty` does.
void copy_members(const nlohmann::json& from, Json& to, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto it = from.find(name);
    if (it == from.end() || it->is_null()) continue;
    if ((it->is_string() || it->is_array() || it->is_object()) && it->empty()) continue;
    if (it->is_string() && it->get_ref<const std::string&>().empty()) continue;
    if (it->is_boolean() && !it->get<bool>()) continue;
    to[name] = *it;
  }
}

Json layers_data(const std::vector<Descriptor>& layers) {
  Json list = Json::array();
  for (const Descriptor& layer : layers) {
    list.push_back({{"MIMEType", layer.media_type},
                    {"Digest", layer.digest.text()},
                    {"Size", layer.size},
                    {"Annotations", or_null(layer.annotations)}});
  }
  return list;
}

/// A manifest in a repository, as oras prints it.
Json named_descriptor(const std::string& repository, const Descriptor& descriptor) {
  Json json;
  json["reference"] = str(repository, '@', descriptor.digest.text());
  json["mediaType"] = descriptor.media_type;
  json["digest"] = descriptor.digest.text();
  json["size"] = descriptor.size;
  if (!descriptor.artifact_type.empty()) json["artifactType"] = descriptor.artifact_type;
  const bool annotated = descriptor.annotations && !descriptor.annotations->empty();
  if (annotated) json["annotations"] = *descriptor.annotations;
  return json;
}

/// A blob that parse_image_config() has accepted, as JSON.
nlohmann::json parse_accepted(std::string_view bytes) {
  auto json = nlohmann::json::parse(bytes, nullptr, false);
  if (json.is_discarded()) throw InvalidData("image configuration is not JSON");
  return json;
}

Json history_json(const nlohmann::json& history) {
  Json list = Json::array();
  for (const auto& entry : history) {
    Json item = Json::object();
    copy_members(entry, item, {"created", "created_by", "author", "comment", "empty_layer"});
    if (item.contains("created")) item["created"] = go_time(item["created"].get<std::string>());
    list.push_back(std::move(item));
  }
  return list;
}

std::vector<std::string> texts(const std::vector<Reference>& references) {
  std::vector<std::string> out;
  for (const Reference& reference : references) out.push_back(reference.text());
  return out;
}

}  // namespace

std::string inspect_json(const InspectView& view) {
  Json json;
  if (!view.name.empty()) json["Name"] = view.name;
  json["Digest"] = view.digest.text();
  json["RepoTags"] = view.tags ? Json(*view.tags) : Json(nullptr);
  json["Created"] = view.config.created ? Json(go_time(*view.config.created)) : Json(nullptr);
  json["DockerVersion"] = view.config.docker_version;
  json["Labels"] = or_null(view.config.process.labels);
  json["Architecture"] = view.config.platform.architecture;
  json["Os"] = view.config.platform.os;
  json["Layers"] = Json::array();
  for (const Descriptor& layer : view.manifest.layers)
    json["Layers"].push_back(layer.digest.text());
  json["LayersData"] = layers_data(view.manifest.layers);
  json["Env"] = or_null(view.config.process.env);
  return go_text(json);
}

std::string config_json(std::string_view config_bytes) {
  const auto config = parse_accepted(config_bytes);
  Json json = Json::object();
  copy_members(config, json, {"created", "author"});
  if (json.contains("created")) json["created"] = go_time(json["created"].get<std::string>());
  json["architecture"] = config.value("architecture", "");
  copy_members(config, json, {"variant"});
  json["os"] = config.value("os", "");
  copy_members(config, json, {"os.version", "os.features"});
  Json process = Json::object();
  if (const auto it = config.find("config"); it != config.end() && it->is_object()) {
    copy_members(*it, process,
                 {"User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir",
                  "Labels", "StopSignal"});
  }
  json["config"] = std::move(process);
  json["rootfs"] = {{"type", "layers"}, {"diff_ids", config.at("rootfs").at("diff_ids")}};
  if (const auto it = config.find("history"); it != config.end() && !it->empty()) {
    json["history"] = history_json(*it);
  }
  return go_text(json);
}

std::string list_tags_json(const std::string& repository, const std::vector<std::string>& tags) {
  // Hundreds of thousands of tags are written without a tree of them.
  const std::string empty = go_text(Json{{"Repository", repository}, {"Tags", Json::array()}});
  if (tags.empty()) return empty;
  const std::size_t end = empty.rfind(']');
  std::string out = empty.substr(0, end);
  for (const std::string& tag : tags) out += str("\n        ", tag_text(tag), ',');
  out.back() = '\n';
  return out + "    " + empty.substr(end);
}

std::string catalog_json(const std::string& registry,
                         const std::vector<std::string>& repositories) {
  return go_text(Json{{"Registry", registry}, {"Repositories", repositories}});
}

std::string referrers_json(const ReferrersView& view) {
  Json json = named_descriptor(view.repository, view.subject);
  json["referrers"] = Json::array();
  for (const Descriptor& referrer : view.referrers) {
    json["referrers"].push_back(named_descriptor(view.repository, referrer));
  }
  return go_text(json);
}

std::string rate_limit_json(const std::string& registry, const registry::RateLimit& limit) {
  Json json;
  json["Registry"] = registry;
  json["Limit"] = or_null(limit.limit);
  json["Remaining"] = or_null(limit.remaining);
  json["Window"] = limit.window ? Json(limit.window->count()) : Json(nullptr);
  json["Source"] = limit.source.empty() ? Json(nullptr) : Json(limit.source);
  return go_text(json);
}

std::string untrusted_signature_json(const registry::SignedClaim& claim,
                                     const std::string& key_id) {
  Json json;
  json["UntrustedDockerManifestDigest"] = claim.manifest.text();
  json["UntrustedDockerReference"] = claim.docker_reference;
  json["UntrustedCreatorID"] = or_null(claim.creator);
  json["UntrustedTimestamp"] = nullptr;
  if (claim.timestamp) {
    const Timestamp time{.seconds = static_cast<std::int64_t>(*claim.timestamp)};
    json["UntrustedTimestamp"] = format_rfc3339(time);
  }
  json["UntrustedShortKeyIdentifier"] = key_id;
  return go_text(json);
}

std::string images_json(const std::vector<store::StoredImage>& images) {
  Json list = Json::array();
  const Timestamp current = now();
  for (const auto& image : images) {
    Json item;
    item["Id"] = image.id.hex();
    item["ParentId"] = "";
    item["RepoTags"] = image.names.empty() ? Json(nullptr) : Json(texts(image.names));
    item["RepoDigests"] = texts(image.digests);
    item["Size"] = image.size;
    item["SharedSize"] = 0;
    item["VirtualSize"] = image.size;
    item["Labels"] = nullptr;
    item["Containers"] = 0;
    item["Names"] = texts(image.names);
    item["Digest"] = image.manifest.digest.text();
    item["Created"] = image.created ? image.created->seconds : 0;
    item["CreatedAt"] = image.created ? format_rfc3339(*image.created) : std::string();
    item["CreatedSince"] = image.created ? format_ago(*image.created, current) : std::string();
    list.push_back(std::move(item));
  }
  return go_text(list);
}

std::string stored_image_json(const store::StoredImage& image, const ImageConfig& config,
                              std::string_view config_bytes) {
  const auto raw = parse_accepted(config_bytes);
  Json process = Json::object();
  if (const auto it = raw.find("config"); it != raw.end() && it->is_object()) {
    copy_members(*it, process,
                 {"User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir",
                  "Labels", "StopSignal"});
  }
  Json layers = Json::array();
  for (const DiffId& diff_id : config.diff_ids) layers.push_back(diff_id.digest.text());
  Json json;
  json["Id"] = image.id.hex();
  json["Digest"] = image.manifest.digest.text();
  json["RepoTags"] = texts(image.names);
  json["RepoDigests"] = texts(image.digests);
  json["Parent"] = "";
  json["Comment"] = config.history.empty() ? std::string() : config.history.back().comment;
  json["Created"] = config.created ? Json(go_time(*config.created)) : Json(nullptr);
  json["Config"] = std::move(process);
  json["Version"] = config.docker_version;
  json["Author"] = config.author;
  json["Architecture"] = config.platform.architecture;
  json["Os"] = config.platform.os;
  json["Size"] = image.size;
  json["VirtualSize"] = image.size;
  json["RootFS"] = {{"Type", "layers"}, {"Layers", std::move(layers)}};
  json["Labels"] = or_null(config.process.labels);
  json["Annotations"] = Json::object();
  json["ManifestType"] = image.manifest.media_type;
  json["User"] = config.process.user;
  json["History"] = raw.contains("history") ? history_json(raw.at("history")) : Json::array();
  json["NamesHistory"] = texts(image.names);
  return go_text(Json::array({std::move(json)}));
}

std::string collected_json(const store::Collected& collected) {
  Json blobs = Json::array();
  for (const Digest& blob : collected.blobs) blobs.push_back(blob.text());
  Json partials = Json::array();
  for (const std::string& partial : collected.partials) partials.push_back("sha256:" + partial);
  return go_text(Json{{"Blobs", std::move(blobs)},
                      {"Layers", collected.layers},
                      {"Partials", std::move(partials)},
                      {"Size", collected.size}});
}

std::string verify_json(const snapshot::VerifyReport& report) {
  Json findings = Json::array();
  for (const snapshot::Finding& finding : report.findings) {
    findings.push_back({{"Object", printable(finding.object)}, {"Problem", finding.problem}});
  }
  Json images = Json::array();
  for (const store::StoredImage& image : report.damaged_images) images.push_back(image.id.hex());
  return go_text(Json{{"Blobs", report.blobs},
                      {"Layers", report.layers},
                      {"Unrecorded", report.unrecorded},
                      {"Findings", std::move(findings)},
                      {"DamagedImages", std::move(images)}});
}

std::string usage_json(const store::Usage& usage) {
  Json images = Json::array();
  for (const store::Usage::Image& image : usage.images) {
    images.push_back(
        {{"Id", image.id.hex()}, {"SharedSize", image.shared}, {"UniqueSize", image.unique}});
  }
  return go_text(Json{{"Images", std::move(images)},
                      {"Blobs", usage.blobs},
                      {"Layers", usage.layers},
                      {"Containers", usage.containers},
                      {"Partials", usage.partials},
                      {"Reclaimable", usage.reclaimable}});
}

}  // namespace lade::cli
