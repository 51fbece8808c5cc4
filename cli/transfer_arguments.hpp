// The arguments of verbs that registries and other places of images have to do with.
#pragma once

#include "cli/common_arguments.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lade::cli {

struct PullArguments {
  std::vector<std::string> names;
  std::optional<std::string> platform;
  unsigned jobs = 4;
  bool quiet = false;
  RegistryFlags registry;
  TransferFlags transfer;
};

/// What `copy` makes of manifests and layers, as skopeo's options say it.
struct ChangeFlags {
  std::optional<std::string> format;           ///< `oci` or `v2s2`
  std::optional<std::string> compress_format;  ///< `gzip`, `zstd` or `none`
  std::optional<int> compress_level;
  bool compress = false;    ///< what is plain, in a `dir:`
  bool decompress = false;  ///< everything, in a `dir:`
  bool preserve_digests = false;
  bool accepts_plain_layers = false;  ///< in a layout
};

/// What becomes of signatures on the way.
struct SignatureFlags {
  bool remove = false;           ///< those that the source has are left behind
  bool remove_of_lists = false;  ///< those of lists only
  std::optional<std::string> sign_by;
  std::optional<std::string> passphrase_file;
  std::optional<std::string> identity;
};

struct CopyArguments {
  std::string source;       ///< with its transport, as registry::parse_image_name() reads it
  std::string destination;  ///< the same
  std::vector<std::string> more_destinations;
  std::optional<std::string> platform;  ///< or several with commas: a part of a list
  bool all = false;
  std::optional<std::string> multi_arch;  ///< a word, or platforms with commas
  bool referrers = false;
  bool keep_going = false;
  ChangeFlags changes;
  SignatureFlags signatures;
  std::vector<std::string> additional_tags;    ///< of the image in a docker-archive
  std::optional<std::string> source_blob_dir;  ///< of `oci:`, instead of its own
  std::optional<std::string> destination_blob_dir;
  unsigned jobs = 4;
  bool quiet = false;
  std::optional<std::string> digest_file;
  std::uint64_t chunk_size = 0;  ///< bytes; 0: as the registry likes it
  RegistryFlags source_registry;
  RegistryFlags destination_registry;
  TransferFlags transfer;
};

struct SyncArguments {
  std::string from;    ///< `docker`, `oci`, `dir` or `yaml`
  std::string to;      ///< `docker`, `oci` or `dir`
  CopyArguments copy;  ///< of each image; of the places only what they are called
  bool scoped = false;
  std::string append_suffix;
  bool dry_run = false;
  bool keep_going = false;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::optional<std::string> semver;
  std::optional<std::string> newest;
  std::vector<std::string> rename;  ///< `REPOSITORY=NAME`
  std::optional<std::string> lock;
  bool frozen = false;
  bool prune = false;
  std::vector<std::string> protect;
  std::optional<std::string> shard;
  std::optional<std::string> state;
  bool check_destination = false;  ///< asks a registry for each tag, whatever is remembered
  std::optional<std::string> report;
};

struct MirrorVerifyArguments {
  std::string place;  ///< a directory, or `docker://NAME[:TAG]`
  OutputFormat format = OutputFormat::table;
  bool diff_ids = false;
  bool read = false;        ///< also the blobs of a registry
  bool signatures = false;  ///< asks the policy about each image
  bool repair = false;
  std::optional<std::string> from;  ///< `docker://NAME`
  unsigned jobs = 4;
  bool quiet = false;
  RegistryFlags registry;
  TransferFlags transfer;
};

struct MirrorStateArguments {
  std::string directory;
};

struct MirrorBundleArguments {
  std::string directory;
  std::string output;               ///< a file, or `-`
  std::optional<std::string> base;  ///< an older state of this mirror
  std::optional<std::string> have;  ///< the state of the mirror that it is for
  bool quiet = false;
};

struct MirrorApplyArguments {
  std::string bundle;
  std::string directory;
  std::optional<std::string> digest;  ///< of the whole file
  unsigned jobs = 4;
  bool quiet = false;
};

struct PushArguments {
  std::string image;
  std::optional<std::string> destination;
  unsigned jobs = 4;
  bool quiet = false;
  std::optional<std::string> digest_file;
  std::uint64_t chunk_size = 0;  ///< bytes; 0: as the registry likes it
  RegistryFlags registry;
  TransferFlags transfer;
};

struct DeleteArguments {
  std::string reference;
  bool tag_only = false;
  RegistryFlags registry;
  TransferFlags transfer;
};

struct InspectArguments {
  std::string reference;
  std::vector<std::string> more_references;  ///< images in the store
  bool raw = false;
  bool config = false;
  bool no_tags = false;
  bool all_platforms = false;
  std::string format;  ///< a Go template, or a word for JSON; empty: JSON
  std::optional<std::string> platform;
  RegistryFlags registry;
  TransferFlags transfer;
};

struct ListTagsArguments {
  std::string repository;
  RegistryFlags registry;
  TransferFlags transfer;
};

struct LoginArguments {
  std::string registry;
  std::optional<std::string> username;
  std::optional<std::string> password;
  bool password_stdin = false;
  bool get_login = false;
  bool verbose = false;
  RegistryFlags connection;                     ///< without `--creds`
  std::optional<std::string> compat_auth_file;  ///< Docker's config.json, instead of an auth file
};

struct LogoutArguments {
  std::string registry;  ///< empty with `all`
  bool all = false;
  RegistryFlags connection;                     ///< only `--authfile` matters
  std::optional<std::string> compat_auth_file;  ///< Docker's config.json, instead of an auth file
};

struct CatalogArguments {
  std::string registry_name;
  OutputFormat format = OutputFormat::table;
  std::string pattern;    ///< of OutputFormat::pattern
  bool full_ref = false;  ///< the registry's name before each repository's
  RegistryFlags registry;
};

struct ReferrersArguments {
  std::string reference;
  std::string artifact_type;            ///< empty: of any
  std::optional<std::string> platform;  ///< the referrers of an index's entry
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
  RegistryFlags registry;
};

struct BlobArguments {
  std::string reference;
  RegistryFlags registry;
};

struct RateLimitArguments {
  std::string reference;
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
  RegistryFlags registry;
};

struct ManifestDigestArguments {
  std::string manifest;
};

struct StandaloneSignArguments {
  std::string manifest;
  std::string reference;
  std::string key;
  std::string output;
  std::optional<std::string> passphrase_file;
};

struct StandaloneVerifyArguments {
  std::string manifest;
  std::string reference;
  std::string keys;  ///< fingerprints with commas between them, or `any`
  std::string signature;
  std::optional<std::string> public_key_file;
};

struct SignatureDumpArguments {
  std::string signature;
};

}  // namespace lade::cli
