// The command line as values: what parse() makes of argv and what the verbs take. CLI.md is the
// contract; each verb's page in cli/help/ describes its options.
#pragma once

#include "cli/bundle_arguments.hpp"
#include "cli/common_arguments.hpp"
#include "cli/container_arguments.hpp"
#include "cli/image_arguments.hpp"
#include "cli/oci_arguments.hpp"
#include "cli/transfer_arguments.hpp"

#include <string>
#include <variant>
#include <vector>

namespace lade::cli {

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
    InfoArguments,
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
    OciCreateArguments,
    OciDeleteArguments,
    OciEventsArguments,
    OciExecArguments,
    OciKillArguments,
    OciListArguments,
    OciPauseArguments,
    OciPsArguments,
    OciResumeArguments,
    OciRunArguments,
    OciStartArguments,
    OciStateArguments,
    OciUpdateArguments,
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
