#include "registry/signing/attachments.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json_writer.hpp"
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

void write_descriptor(JsonWriter& json, const Descriptor& descriptor) {
  json.begin_object();
  json.member("mediaType", descriptor.media_type).member("digest", descriptor.digest.text());
  json.member("size", descriptor.size);
  if (descriptor.annotations) json.maybe_member("annotations", *descriptor.annotations);
  json.end_object();
}

/// What `layers` are an image of: a configuration without anything but them.
std::string write_config(const std::vector<Descriptor>& layers) {
  std::vector<std::string> digests;
  for (const Descriptor& layer : layers) digests.push_back(layer.digest.text());
  JsonWriter json;
  json.begin_object().member("architecture", "").member("os", "");
  json.name("config").begin_object().end_object();
  json.name("rootfs").begin_object().member("type", "layers");
  json.name("diff_ids").texts(digests).end_object();
  return json.end_object().take();
}

std::string write_manifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  JsonWriter json;
  json.begin_object().member("schemaVersion", std::uint64_t{2});
  json.member("mediaType", media_type::oci_manifest).name("config");
  write_descriptor(json, config);
  json.name("layers").begin_array();
  for (const Descriptor& layer : layers) write_descriptor(json, layer);
  return json.end_array().end_object().take();
}

Descriptor put_text(ImageSink& sink, const std::string& text, std::string_view type) {
  const Descriptor descriptor{std::string(type), Digest::of(text), text.size()};
  // Not asked for first: a sink that writes to the repository that the image comes from says that
  // it has all blobs, but of the image only.
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
  if (layers->size() > k_signature_limit) {
    throw InvalidData(str("the attachment ", quoted(attachment_tag(manifest)), " has more than ",
                          k_signature_limit, " signatures"));
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
