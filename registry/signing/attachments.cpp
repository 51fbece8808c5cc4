#include "registry/signing/attachments.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/verified_source.hpp"
#include "registry/signing/lookaside.hpp"

#include <algorithm>
#include <optional>

namespace lade::registry {

namespace {

/// The layers of an attachment; nothing if there is none.
std::optional<std::vector<Descriptor>> find_layers(ImageSource& source, const Digest& manifest) {
  const std::string tag = attachment_tag(manifest);
  try {
    const RawManifest raw = source.manifest(tag);
    if (raw.media_type != media_type::oci_manifest) {
      throw InvalidData(
          str("the attachment ", quoted(tag), " is not an OCI image but ", quoted(raw.media_type)));
    }
    return parse_manifest(raw.bytes).layers;
  } catch (const NotFound&) {
    return std::nullopt;
  }
}

SigstoreSignature read_layer(ImageSource& source, const Descriptor& layer) {
  if (layer.size > k_signature_cap) {
    throw InvalidData(str("the signature ", quoted(layer.digest.text()), " is larger than ",
                          human_size(k_signature_cap)));
  }
  const auto bytes = source.blob(layer);
  VerifiedSource verified(*bytes, layer);
  SigstoreSignature signature{.media_type = layer.media_type,
                              .payload = read_all(verified, k_signature_cap, "signature")};
  if (layer.annotations) signature.annotations = *layer.annotations;
  return signature;
}

std::string write_descriptor(const Descriptor& descriptor) {
  std::string annotations;
  if (descriptor.annotations) {
    for (const auto& [key, value] : *descriptor.annotations) {
      annotations += str(annotations.empty() ? "" : ",", json_quoted(key), ':', json_quoted(value));
    }
    annotations = str(",\"annotations\":{", annotations, '}');
  }
  return str("{\"mediaType\":", json_quoted(descriptor.media_type),
             ",\"digest\":", json_quoted(descriptor.digest.text()), ",\"size\":", descriptor.size,
             annotations, '}');
}

/// What `layers` are an image of: a configuration without anything but them.
std::string write_config(const std::vector<Descriptor>& layers) {
  std::vector<std::string> digests;
  for (const Descriptor& layer : layers) digests.push_back(json_quoted(layer.digest.text()));
  return str(R"({"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[)",
             join(digests, ","), "]}}");
}

std::string write_manifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  std::vector<std::string> texts;
  for (const Descriptor& layer : layers) texts.push_back(write_descriptor(layer));
  return str("{\"schemaVersion\":2,\"mediaType\":", json_quoted(media_type::oci_manifest),
             ",\"config\":", write_descriptor(config), ",\"layers\":[", join(texts, ","), "]}");
}

Descriptor put_text(ImageSink& sink, const std::string& text, std::string_view type) {
  const Descriptor descriptor{std::string(type), Digest::of(text), text.size()};
  // Not asked for first: a sink that writes to the repository that the image comes from says that it
  // has all blobs, but of the image only.
  StringSource bytes(text);
  sink.put_blob(descriptor, bytes);
  return descriptor;
}

bool is_layer_of(const Descriptor& layer, const SigstoreSignature& signature) {
  return layer.media_type == signature.media_type &&
         layer.digest == Digest::of(signature.payload, layer.digest.algorithm()) &&
         layer.annotations.value_or(std::map<std::string, std::string>()) == signature.annotations;
}

}  // namespace

std::string attachment_tag(const Digest& manifest) {
  return str(manifest.algorithm_name(), '-', manifest.hex(), ".sig");
}

std::vector<SigstoreSignature> read_attachments(ImageSource& source, const Digest& manifest) {
  std::vector<SigstoreSignature> signatures;
  const auto layers = find_layers(source, manifest);
  if (!layers) return signatures;
  if (layers->size() > k_most_signatures) {
    throw InvalidData(str("the attachment ", quoted(attachment_tag(manifest)), " has more than ",
                          k_most_signatures, " signatures"));
  }
  for (const Descriptor& layer : *layers) signatures.push_back(read_layer(source, layer));
  return signatures;
}

void write_attachments(ImageSource& source, ImageSink& sink, const Digest& manifest,
                       const std::vector<SigstoreSignature>& signatures) {
  std::vector<Descriptor> layers =
      find_layers(source, manifest).value_or(std::vector<Descriptor>());
  const std::size_t before = layers.size();
  for (const SigstoreSignature& signature : signatures) {
    const bool is_there = std::any_of(layers.begin(), layers.end(), [&](const Descriptor& layer) {
      return is_layer_of(layer, signature);
    });
    if (is_there) continue;
    Descriptor layer = put_text(sink, signature.payload, signature.media_type);
    layer.annotations = signature.annotations;
    layers.push_back(std::move(layer));
  }
  if (layers.size() == before) return;
  const Descriptor config = put_text(sink, write_config(layers), media_type::oci_config);
  sink.put_manifest(
      RawManifest::make(write_manifest(config, layers), std::string(media_type::oci_manifest)),
      attachment_tag(manifest));
}

}  // namespace lade::registry
