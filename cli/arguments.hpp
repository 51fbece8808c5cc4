// The command line as values: what parse() makes of argv and what the verbs take. CLI.md is the
// contract; each verb's page in cli/help/ describes its options.
#pragma once

#include "store/sync_mode.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace lade::cli {

/// The last two are for the name `skopeo`, whose lines go to standard output unless the image does.
enum class ProgressStyle { automatic, bar, plain, json, none, skopeo, skopeo_on_stderr };
/// Whose command line it is.
enum class ProgramName { lade, skopeo, umoci };
/// `pattern`: a Go template, which stands beside it.
enum class OutputFormat { table, json, pattern };

/// What it means that the host has no policy.json: to skopeo, that nothing may be copied.
enum class MissingPolicy { accepts, fails };

/// Options before the verb.
struct GlobalOptions {
  std::optional<std::string> root;
  std::optional<std::string> registries_conf;
  std::optional<std::string> policy;
  std::optional<std::string> registries_d;
  bool insecure_policy = false;
  bool require_signed = false;
  MissingPolicy missing_policy = MissingPolicy::accepts;  ///< not an option
  store::SyncMode sync = store::SyncMode::fs;
  ProgressStyle progress = ProgressStyle::automatic;
  bool debug = false;
  ProgramName name = ProgramName::lade;
  std::string user_agent_prefix;
  std::chrono::milliseconds command_timeout{0};  ///< 0: none
};

/// How to talk to a registry; every verb that does takes these.
struct RegistryFlags {
  std::optional<bool> tls_verify;  ///< not given: what registries.conf says, else yes
  std::optional<std::string> cert_dir;
  std::optional<std::string> auth_file;
  std::optional<std::string> credentials;  ///< `USER[:PASSWORD]`
  std::optional<std::string> username;     ///< with `password`, instead of `credentials`
  std::optional<std::string> password;
  std::optional<std::string> token;  ///< a bearer token that is sent as it is
  bool anonymous = false;            ///< no credentials at all
};

/// How to move blobs.
struct TransferFlags {
  std::optional<int> retry_times;                        ///< after the first attempt
  std::optional<std::chrono::milliseconds> retry_delay;  ///< instead of one that doubles
  std::optional<std::uint64_t> limit_rate;               ///< bytes per second, of all together
};

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

enum class ImageOrder { created, id, repository, size, tag };

struct ImagesArguments {
  std::optional<std::string> name;
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
  bool quiet = false;
  bool digests = false;
  bool no_trunc = false;
  bool no_heading = false;
  bool history = false;
  std::vector<std::string> filters;
  ImageOrder order = ImageOrder::created;
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

enum class PullPolicy { missing, always, never };

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

struct RunArguments {
  std::string image;
  std::string name;  ///< of the container; empty: none
  std::optional<std::string> id_file;
  std::vector<std::string> command;
  bool remove = false;
  bool dry_run = false;
  bool interactive = false;
  bool terminal = false;
  std::vector<std::string> env;
  std::optional<std::string> workdir;
  std::optional<std::string> user;
  std::optional<std::string> entrypoint;
  std::optional<std::string> hostname;
  std::vector<std::string> volumes;
  std::string network = "none";
  PullPolicy pull = PullPolicy::missing;
  std::optional<std::string> platform;
  RegistryFlags registry;
  TransferFlags transfer;
};

struct RmiArguments {
  std::vector<std::string> images;
  bool all = false;
  bool force = false;
  bool ignore_missing = false;
};

struct TagArguments {
  std::string layout_image;  ///< `--image PATH[:TAG]`: in a layout, which has one new name
  std::string image;
  std::vector<std::string> names;
};

struct UntagArguments {
  std::string image;
  std::vector<std::string> names;  ///< none: all that it has
};

struct GcArguments {
  std::optional<std::string> layout;  ///< a layout instead of the store
  bool dry_run = false;
  bool partial = false;  ///< also what could be continued
  OutputFormat format = OutputFormat::table;
};

struct DfArguments {
  OutputFormat format = OutputFormat::table;
};

struct VerifyArguments {
  bool repair = false;
  unsigned jobs = 4;
  OutputFormat format = OutputFormat::table;
  RegistryFlags registry;  ///< where damaged blobs are fetched from again
};

struct ReindexArguments {
  OutputFormat format = OutputFormat::table;
};

enum class SaveFormat { docker_archive, oci_archive, oci_dir, docker_dir };

struct SaveArguments {
  std::vector<std::string> names;
  std::optional<std::string> output;  ///< none: standard output
  SaveFormat format = SaveFormat::docker_archive;
  bool compress = false;
  bool quiet = false;
};

struct LoadArguments {
  std::optional<std::string> input;  ///< none: standard input
  bool quiet = false;
};

/// Who owns what in a bundle.
struct OwnerFlags {
  std::vector<std::string> uid_maps;  ///< `CONTAINER:HOST[:SIZE]`
  std::vector<std::string> gid_maps;
  bool rootless = false;
};

struct UnpackArguments {
  std::string image;   ///< `PATH[:TAG]` or a name in the store
  std::string target;  ///< the bundle
  bool keep_dirlinks = false;
  OwnerFlags owners;
};

struct RawUnpackArguments {
  UnpackArguments unpack;  ///< its target is the root file system itself
};

/// The entry that a change leaves in the image's history.
struct HistoryFlags {
  bool none = false;
  std::optional<std::string> author;
  std::optional<std::string> comment;
  std::optional<std::string> created;
  std::optional<std::string> created_by;
};

/// Of a new layer; `automatic`: as the topmost one that is compressed.
enum class LayerCompression { automatic, gzip, zstd, none };

struct RepackArguments {
  std::string image;  ///< where the image goes, `PATH[:TAG]`
  std::string bundle;
  std::vector<std::string> mask_paths;
  bool no_mask_volumes = false;
  bool refresh_bundle = false;
  LayerCompression compress = LayerCompression::automatic;
  HistoryFlags history;
};

/// `config`: settings of an image; what is not given stays.
struct ConfigArguments {
  std::string image;
  std::optional<std::string> tag;  ///< instead of the one that `image` has
  std::vector<std::string> clear;  ///< `config.env`, `manifest.annotations`, …
  std::optional<std::string> user;
  std::optional<std::string> working_dir;
  std::optional<std::string> stop_signal;
  std::vector<std::string> exposed_ports;
  std::vector<std::string> env;
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> volumes;
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  std::optional<std::string> created;
  std::optional<std::string> author;
  std::optional<std::string> os;
  std::optional<std::string> architecture;
  std::optional<std::string> variant;
  HistoryFlags history;
};

struct InitArguments {
  std::string layout;
};

struct InsertArguments {
  std::string image;
  std::optional<std::string> tag;
  bool opaque = false;
  bool whiteout = false;
  std::vector<std::string> paths;  ///< of the source and in the image; of a whiteout in the image
  OwnerFlags owners;
  LayerCompression compress = LayerCompression::automatic;
  HistoryFlags history;
};

struct ListArguments {
  std::string layout;
};

struct NewArguments {
  std::string image;
};

struct RawAddLayerArguments {
  std::string image;
  std::optional<std::string> tag;
  std::string archive;
  LayerCompression compress = LayerCompression::automatic;
  HistoryFlags history;
};

struct RawConfigArguments {
  std::string image;
  std::optional<std::string> rootfs;
  std::string target;
  OwnerFlags owners;
};

struct RmArguments {
  std::string image;
};

struct StatArguments {
  std::string image;
  bool json = false;
};

struct MountArguments {
  std::vector<std::string> names;  ///< of images or containers; none: list what is mounted
  OutputFormat format = OutputFormat::table;
};

struct UnmountArguments {
  std::vector<std::string> names;
  bool all = false;
  bool force = false;
};

struct DiffArguments {
  std::string name;                 ///< of a container or an image
  std::optional<std::string> base;  ///< the same; none: what it stands on
  OutputFormat format = OutputFormat::table;
};

struct CommitArguments {
  std::string container;
  std::optional<std::string> name;   ///< of the image
  std::vector<std::string> changes;  ///< instructions, as `import` takes them
  std::string message;
  std::string author;
  std::optional<std::string> id_file;
  bool squash = false;
  bool quiet = false;
};

struct ExportArguments {
  std::string container;
  std::optional<std::string> output;  ///< none: standard output
};

struct HistoryArguments {
  std::string image;
  OutputFormat format = OutputFormat::table;
  std::string pattern;  ///< of OutputFormat::pattern
  bool human = true;
  bool no_trunc = false;
  bool quiet = false;
};

struct ImageTreeArguments {
  std::string image;
  bool what_requires = false;
};

struct ImagePruneArguments {
  bool all = false;
  bool force = false;
  std::vector<std::string> filters;
};

struct ImageExistsArguments {
  std::string image;
};

struct ImportArguments {
  std::string source;  ///< a file, a URL, or `-`
  std::optional<std::string> name;
  std::vector<std::string> changes;
  std::string message;
  std::optional<std::string> arch;
  std::optional<std::string> os;
  std::optional<std::string> variant;
  bool quiet = false;
};

struct VersionArguments {};

struct HelpArguments {
  std::vector<std::string> verb;  ///< its words; empty: the overview
};

// One a line, in the order of the alphabet, so that verbs can be added side by side.
// clang-format off
using VerbArguments = std::variant<
    BlobArguments,
    CatalogArguments,
    CommitArguments,
    ConfigArguments,
    CopyArguments,
    DeleteArguments,
    DfArguments,
    DiffArguments,
    ExportArguments,
    GcArguments,
    HelpArguments,
    HistoryArguments,
    ImageExistsArguments,
    ImagePruneArguments,
    ImageTreeArguments,
    ImagesArguments,
    ImportArguments,
    InitArguments,
    InsertArguments,
    InspectArguments,
    ListArguments,
    ListTagsArguments,
    LoadArguments,
    LoginArguments,
    LogoutArguments,
    ManifestDigestArguments,
    MirrorApplyArguments,
    MirrorBundleArguments,
    MirrorStateArguments,
    MirrorVerifyArguments,
    MountArguments,
    NewArguments,
    PullArguments,
    PushArguments,
    RateLimitArguments,
    RawAddLayerArguments,
    RawConfigArguments,
    RawUnpackArguments,
    ReferrersArguments,
    ReindexArguments,
    RepackArguments,
    RmArguments,
    RmiArguments,
    RunArguments,
    SaveArguments,
    SignatureDumpArguments,
    StandaloneSignArguments,
    StandaloneVerifyArguments,
    StatArguments,
    SyncArguments,
    TagArguments,
    UnmountArguments,
    UnpackArguments,
    UntagArguments,
    VerifyArguments,
    VersionArguments>;
// clang-format on

/// A parsed command line.
struct Invocation {
  GlobalOptions global;
  std::string verb;
  VerbArguments arguments;
};

}  // namespace lade::cli
