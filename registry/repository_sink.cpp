#include "registry/repository_sink.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/session.hpp"

namespace lade::registry {

namespace {

constexpr int k_most_listings = 5;  // of one referrer, when others write the same tag

/// The bytes of a referrers tag's index, or empty if there is none.
std::string find_index(Repository& repository, const std::string& tag) {
  try {
    RawManifest manifest = repository.manifest(tag);
    if (manifest.kind() != ManifestKind::index) {
      throw InvalidData(str("the referrers tag ", quoted(tag), " is not an index but ",
                            quoted(manifest.media_type)));
    }
    return std::move(manifest.bytes);
  } catch (const NotFound&) {
    return "";
  }
}

}  // namespace

RepositorySink::RepositorySink(const Reference& reference, ConnectionOptions connection,
                               std::stop_token stop, Options options)
    : RepositorySink(Repository(reference, std::move(connection), std::move(stop)),
                     std::move(options)) {}

RepositorySink::RepositorySink(const Repository& source)
    : RepositorySink(source.again(), Options{.upload = {}, .source_path = source.path()}) {}

RepositorySink::RepositorySink(Repository reader, Options options)
    : reader_(std::move(reader)),
      options_(std::move(options)),
      uploader_(reader_.session(), reader_.path(), options_.upload) {
  if (options_.signatures) reader_.use_signatures(options_.signatures);
}

RepositorySink::~RepositorySink() = default;

bool RepositorySink::is_source() const {
  return options_.source_path == reader_.path();
}

std::string RepositorySink::scope() const {
  return str("repository:", reader_.path(), ":pull,push");
}

bool RepositorySink::has_blob(const Descriptor& descriptor) {
  if (is_source() || known_.lock()->contains(descriptor.digest)) return true;
  // Mounting first: a registry that has the blob here says so as well, in the same one request.
  if (!mount(descriptor) && !ask_for_blob(descriptor)) return false;
  known_.lock()->insert(descriptor.digest);
  return true;
}

bool RepositorySink::mount(const Descriptor& descriptor) {
  auto path = options_.source_path;
  if (!path && options_.find_source) path = options_.find_source(descriptor.digest);
  return path && *path != reader_.path() && uploader_.mount(descriptor, *path);
}

bool RepositorySink::ask_for_blob(const Descriptor& descriptor) {
  Session& session = *reader_.session();
  const std::string target = str("/v2/", reader_.path(), "/blobs/", descriptor.digest.text());
  return with_retries(session.retry(), session.stop(), [&] {
    Response response = session.request(Method::head, target, {}, scope());
    // A host of blobs that we were sent to may not know of HEAD; then the blob is sent.
    const bool elsewhere = !response.url.same_origin(session.base());
    if (response.status == 404 || (elsewhere && response.status != 200)) return false;
    if (response.status != 200) session.fail(response);
    const auto length = response.headers.find("Content-Length");
    const auto size = length ? parse_number<std::uint64_t>(*length) : std::nullopt;
    return !size || *size == descriptor.size;
  });
}

void RepositorySink::put_blob(const Descriptor& descriptor, Source& bytes) {
  uploader_.upload(descriptor, bytes);
  known_.lock()->insert(descriptor.digest);
}

void RepositorySink::put_manifest(const RawManifest& manifest, const ManifestKey& key) {
  if (const auto* digest = std::get_if<Digest>(&key)) {
    if (*digest != manifest.digest) {
      throw Refused(
          str("manifest ", quoted(digest->text()), " has digest ", quoted(manifest.digest.text())));
    }
    if (is_source()) return;
  }
  const auto subject = find_subject(manifest);
  const bool listed = send_manifest(manifest, key);
  if (subject && !listed) list_referrer(subject->digest, manifest);
}

bool RepositorySink::send_manifest(const RawManifest& manifest, const ManifestKey& key) {
  Session& session = *reader_.session();
  const std::string target = str("/v2/", reader_.path(), "/manifests/", to_string(key));
  return with_retries(session.retry(), session.stop(), [&] {
    Request request{.method = Method::put, .url = session.resolve(target)};
    request.headers.add("Content-Type", manifest.media_type);
    request.body.text = manifest.bytes;
    Response response = session.send(std::move(request), scope());
    if (response.status < 200 || response.status >= 300) session.fail_naming(response);
    drain(response);
    const auto stated = response.headers.find("Docker-Content-Digest");
    const auto kept = stated ? Digest::try_parse(*stated) : std::nullopt;
    if (kept && kept->algorithm() == manifest.digest.algorithm() && *kept != manifest.digest) {
      throw Refused(str(response.what(), ": the registry says that it keeps ", quoted(kept->text()),
                        " instead of ", quoted(manifest.digest.text())));
    }
    return response.headers.find("OCI-Subject").has_value();
  });
}

/// Pulls the index, adds the entry and pushes it; looks again, since somebody else may have pushed
/// his own meanwhile.
void RepositorySink::list_referrer(const Digest& subject, const RawManifest& manifest) {
  const std::string tag = referrers_tag(subject);
  const auto context = [&] { return str("list it under the referrers tag ", quoted(tag)); };
  in_context(context, [&] {
    const std::lock_guard one_at_a_time(listing_);
    for (int i = 0; i < k_most_listings; ++i) {
      auto index = with_referrer(find_index(reader_, tag), referrer_descriptor(manifest));
      if (!index) return;
      send_manifest(RawManifest::make(*std::move(index), std::string(media_type::oci_index)), tag);
    }
    throw Busy("others change it all the time");
  });
}

std::optional<std::string> RepositorySink::refuses_signatures() const {
  return reader_.kept_signatures() ? std::nullopt : ImageSink::refuses_signatures();
}

void RepositorySink::put_signatures(const Digest& manifest,
                                    const std::vector<std::string>& signatures) {
  reader_.kept_signatures()->write(reader_, *this, manifest, signatures);
}

}  // namespace lade::registry
