#include "registry/deletion.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/repository_sink.hpp"
#include "registry/session.hpp"

#include <random>

namespace lade::registry {

namespace {

/// As skopeo asks, since some token servers know no action called `delete`.
std::string scope_of(const Repository& repository) {
  return str("repository:", repository.path(), ":*");
}

/// Sends the DELETE; the answer may have any status.
Response send_delete(Repository& repository, const std::string& key) {
  Session& session = *repository.session();
  const std::string target = str("/v2/", repository.path(), "/manifests/", key);
  return session.send({.method = Method::remove, .url = session.resolve(target)},
                      scope_of(repository));
}

bool is_success(const Response& response) {
  return response.status >= 200 && response.status < 300;
}

/// Whether the registry says that it never does this, rather than not to this manifest.
bool is_unsupported(const HttpError& error) {
  return error.status() == 405 || error.code() == "UNSUPPORTED";
}

void explain(HttpError& error) {
  error.set_hint(
      "the registry does not allow deletion: its configuration or its own interface decides that");
}

void check(Repository& repository, Response& response) {
  if (is_success(response)) return drain(response);
  try {
    repository.session()->fail_naming(response);
  } catch (HttpError& error) {
    if (is_unsupported(error)) explain(error);
    throw;
  }
}

void delete_digest(Repository& repository, const Digest& digest) {
  with_retries(repository.session()->retry(), repository.session()->stop(), [&] {
    Response response = send_delete(repository, digest.text());
    check(repository, response);
  });
}

/// Takes a manifest out of the list of what refers to its subject, where that is kept under a tag.
void unlist_referrer(Repository& repository, const RawManifest& manifest) {
  const auto subject = find_subject(manifest);
  if (!subject) return;
  const std::string tag = referrers_tag(subject->digest);
  try {
    const RawManifest index = repository.manifest(tag);
    if (index.kind() != ManifestKind::index) return;
    auto without = without_referrer(index.bytes, manifest.digest);
    if (!without) return;
    RepositorySink sink(repository);
    sink.put_manifest(RawManifest::make(*std::move(without), index.media_type), tag);
  } catch (const NotFound&) {
    // The registry lists referrers itself, or nobody has listed this one.
  }
}

std::string descriptor_text(const Descriptor& descriptor) {
  return str(R"({"mediaType":")", descriptor.media_type, R"(","digest":")",
             descriptor.digest.text(), R"(","size":)", descriptor.size, "}");
}

/// An image of no layers that there has never been.
struct Dummy {
  std::string config;
  Descriptor blob;
  RawManifest manifest;
};

/// A dummy in the format of what the registry has taken before.
Dummy make_dummy(const RawManifest& like) {
  std::random_device random;
  const bool docker =
      like.media_type == media_type::docker_manifest || like.media_type == media_type::docker_list;
  std::string config = str(
      R"({"architecture":"unknown","os":"unknown","config":{"Labels":{"lade.delete":")", random(),
      '-', random(), '-', random(), R"("}},"rootfs":{"type":"layers","diff_ids":[]}})");
  Descriptor blob{std::string(docker ? media_type::docker_config : media_type::oci_config),
                  Digest::of(config), config.size()};
  const std::string type(docker ? media_type::docker_manifest : media_type::oci_manifest);
  RawManifest manifest =
      RawManifest::make(str(R"({"schemaVersion":2,"mediaType":")", type, R"(","config":)",
                            descriptor_text(blob), R"(,"layers":[]})"),
                        type);
  return {std::move(config), std::move(blob), std::move(manifest)};
}

/// Throws if manifests cannot be deleted, which shows at one that is not there.
void check_that_deletion_works(Repository& repository, const Digest& absent) {
  Response response = send_delete(repository, absent.text());
  if (response.status == 404) return drain(response);
  check(repository, response);
}

void replace_and_delete(Repository& repository, const std::string& tag) {
  const RawManifest present = repository.manifest(tag);
  const Dummy dummy = make_dummy(present);
  check_that_deletion_works(repository, dummy.manifest.digest);

  BlobUploader uploader(repository.session(), repository.path(), {});
  StringSource bytes(dummy.config);
  uploader.upload(dummy.blob, bytes);
  RepositorySink sink(repository);
  sink.put_manifest(dummy.manifest, tag);
  try {
    delete_digest(repository, dummy.manifest.digest);
  } catch (...) {
    sink.put_manifest(present, tag);
    throw;
  }
}

}  // namespace

Digest delete_manifest(Repository& repository, const ManifestKey& key) {
  const RawManifest manifest = repository.manifest(key);
  delete_digest(repository, manifest.digest);
  unlist_referrer(repository, manifest);
  return manifest.digest;
}

void delete_tag(Repository& repository, const std::string& tag) {
  Response response = send_delete(repository, tag);
  if (is_success(response)) return drain(response);
  // 400 is what registries say that take digests only, 405 those that know nothing of it.
  if (response.status != 400 && response.status != 405) return check(repository, response);
  drain(response);
  replace_and_delete(repository, tag);
}

}  // namespace lade::registry
