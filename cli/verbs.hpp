// Two functions a verb, both in its own file: what it takes, and what it does. run_verb() returns
// the process's exit code or throws.
#pragma once

#include "cli/arguments.hpp"
#include "cli/environment.hpp"

namespace lade::cli {

class OptionSet;

/// What every verb is given: built by run_program(), passed down, never global.
struct App {
  Environment environment;
  GlobalOptions global;
};

void declare_options(OptionSet& options, PullArguments& arguments);
int run_verb(const App& app, const PullArguments& arguments);
void declare_options(OptionSet& options, CopyArguments& arguments);
int run_verb(const App& app, const CopyArguments& arguments);
void declare_options(OptionSet& options, SyncArguments& arguments);
int run_verb(const App& app, const SyncArguments& arguments);
void declare_options(OptionSet& options, MirrorVerifyArguments& arguments);
int run_verb(const App& app, const MirrorVerifyArguments& arguments);
void declare_options(OptionSet& options, MirrorStateArguments& arguments);
int run_verb(const App& app, const MirrorStateArguments& arguments);
void declare_options(OptionSet& options, MirrorBundleArguments& arguments);
int run_verb(const App& app, const MirrorBundleArguments& arguments);
void declare_options(OptionSet& options, MirrorApplyArguments& arguments);
int run_verb(const App& app, const MirrorApplyArguments& arguments);
void declare_options(OptionSet& options, PushArguments& arguments);
int run_verb(const App& app, const PushArguments& arguments);
void declare_options(OptionSet& options, DeleteArguments& arguments);
int run_verb(const App& app, const DeleteArguments& arguments);
void declare_options(OptionSet& options, ImagesArguments& arguments);
int run_verb(const App& app, const ImagesArguments& arguments);
void declare_options(OptionSet& options, InspectArguments& arguments);
int run_verb(const App& app, const InspectArguments& arguments);
void declare_options(OptionSet& options, ListTagsArguments& arguments);
int run_verb(const App& app, const ListTagsArguments& arguments);
void declare_options(OptionSet& options, LoginArguments& arguments);
int run_verb(const App& app, const LoginArguments& arguments);
void declare_options(OptionSet& options, LogoutArguments& arguments);
int run_verb(const App& app, const LogoutArguments& arguments);
void declare_options(OptionSet& options, CatalogArguments& arguments);
int run_verb(const App& app, const CatalogArguments& arguments);
void declare_options(OptionSet& options, ReferrersArguments& arguments);
int run_verb(const App& app, const ReferrersArguments& arguments);
void declare_options(OptionSet& options, BlobArguments& arguments);
int run_verb(const App& app, const BlobArguments& arguments);
void declare_options(OptionSet& options, RateLimitArguments& arguments);
int run_verb(const App& app, const RateLimitArguments& arguments);
void declare_options(OptionSet& options, ManifestDigestArguments& arguments);
int run_verb(const App& app, const ManifestDigestArguments& arguments);
void declare_options(OptionSet& options, StandaloneSignArguments& arguments);
int run_verb(const App& app, const StandaloneSignArguments& arguments);
void declare_options(OptionSet& options, StandaloneVerifyArguments& arguments);
int run_verb(const App& app, const StandaloneVerifyArguments& arguments);
void declare_options(OptionSet& options, SignatureDumpArguments& arguments);
int run_verb(const App& app, const SignatureDumpArguments& arguments);
void declare_options(OptionSet& options, RunArguments& arguments);
int run_verb(const App& app, const RunArguments& arguments);
void declare_options(OptionSet& options, RmiArguments& arguments);
int run_verb(const App& app, const RmiArguments& arguments);
void declare_options(OptionSet& options, TagArguments& arguments);
int run_verb(const App& app, const TagArguments& arguments);
void declare_options(OptionSet& options, UntagArguments& arguments);
int run_verb(const App& app, const UntagArguments& arguments);
void declare_options(OptionSet& options, GcArguments& arguments);
int run_verb(const App& app, const GcArguments& arguments);
void declare_options(OptionSet& options, DfArguments& arguments);
int run_verb(const App& app, const DfArguments& arguments);
void declare_options(OptionSet& options, InfoArguments& arguments);
int run_verb(const App& app, const InfoArguments& arguments);
void declare_options(OptionSet& options, VerifyArguments& arguments);
int run_verb(const App& app, const VerifyArguments& arguments);
void declare_options(OptionSet& options, ReindexArguments& arguments);
int run_verb(const App& app, const ReindexArguments& arguments);
void declare_options(OptionSet& options, SaveArguments& arguments);
int run_verb(const App& app, const SaveArguments& arguments);
void declare_options(OptionSet& options, LoadArguments& arguments);
int run_verb(const App& app, const LoadArguments& arguments);
void declare_options(OptionSet& options, MountArguments& arguments);
int run_verb(const App& app, const MountArguments& arguments);
void declare_options(OptionSet& options, UnmountArguments& arguments);
int run_verb(const App& app, const UnmountArguments& arguments);
void declare_options(OptionSet& options, DiffArguments& arguments);
int run_verb(const App& app, const DiffArguments& arguments);
void declare_options(OptionSet& options, CommitArguments& arguments);
int run_verb(const App& app, const CommitArguments& arguments);
void declare_options(OptionSet& options, ExportArguments& arguments);
int run_verb(const App& app, const ExportArguments& arguments);
void declare_options(OptionSet& options, HistoryArguments& arguments);
int run_verb(const App& app, const HistoryArguments& arguments);
void declare_options(OptionSet& options, ImageExistsArguments& arguments);
int run_verb(const App& app, const ImageExistsArguments& arguments);
void declare_options(OptionSet& options, ImagePruneArguments& arguments);
int run_verb(const App& app, const ImagePruneArguments& arguments);
void declare_options(OptionSet& options, ImageTreeArguments& arguments);
int run_verb(const App& app, const ImageTreeArguments& arguments);
void declare_options(OptionSet& options, ImportArguments& arguments);
int run_verb(const App& app, const ImportArguments& arguments);
void declare_options(OptionSet& options, UnpackArguments& arguments);
int run_verb(const App& app, const UnpackArguments& arguments);
void declare_options(OptionSet& options, RawUnpackArguments& arguments);
int run_verb(const App& app, const RawUnpackArguments& arguments);
void declare_options(OptionSet& options, RepackArguments& arguments);
int run_verb(const App& app, const RepackArguments& arguments);
void declare_options(OptionSet& options, ConfigArguments& arguments);
int run_verb(const App& app, const ConfigArguments& arguments);
void declare_options(OptionSet& options, InitArguments& arguments);
int run_verb(const App& app, const InitArguments& arguments);
void declare_options(OptionSet& options, InsertArguments& arguments);
int run_verb(const App& app, const InsertArguments& arguments);
void declare_options(OptionSet& options, ListArguments& arguments);
int run_verb(const App& app, const ListArguments& arguments);
void declare_options(OptionSet& options, NewArguments& arguments);
int run_verb(const App& app, const NewArguments& arguments);
void declare_options(OptionSet& options, RawAddLayerArguments& arguments);
int run_verb(const App& app, const RawAddLayerArguments& arguments);
void declare_options(OptionSet& options, RawConfigArguments& arguments);
int run_verb(const App& app, const RawConfigArguments& arguments);
void declare_options(OptionSet& options, RmArguments& arguments);
int run_verb(const App& app, const RmArguments& arguments);
void declare_options(OptionSet& options, StatArguments& arguments);
int run_verb(const App& app, const StatArguments& arguments);
void declare_options(OptionSet& options, OciCreateArguments& arguments);
int run_verb(const App& app, const OciCreateArguments& arguments);
void declare_options(OptionSet& options, OciDeleteArguments& arguments);
int run_verb(const App& app, const OciDeleteArguments& arguments);
void declare_options(OptionSet& options, OciExecArguments& arguments);
int run_verb(const App& app, const OciExecArguments& arguments);
void declare_options(OptionSet& options, OciKillArguments& arguments);
int run_verb(const App& app, const OciKillArguments& arguments);
void declare_options(OptionSet& options, OciListArguments& arguments);
int run_verb(const App& app, const OciListArguments& arguments);
void declare_options(OptionSet& options, OciPauseArguments& arguments);
int run_verb(const App& app, const OciPauseArguments& arguments);
void declare_options(OptionSet& options, OciPsArguments& arguments);
int run_verb(const App& app, const OciPsArguments& arguments);
void declare_options(OptionSet& options, OciResumeArguments& arguments);
int run_verb(const App& app, const OciResumeArguments& arguments);
void declare_options(OptionSet& options, OciRunArguments& arguments);
int run_verb(const App& app, const OciRunArguments& arguments);
void declare_options(OptionSet& options, OciStartArguments& arguments);
int run_verb(const App& app, const OciStartArguments& arguments);
void declare_options(OptionSet& options, OciUpdateArguments& arguments);
int run_verb(const App& app, const OciUpdateArguments& arguments);
void declare_options(OptionSet& options, OciEventsArguments& arguments);
int run_verb(const App& app, const OciEventsArguments& arguments);
void declare_options(OptionSet& options, OciStateArguments& arguments);
int run_verb(const App& app, const OciStateArguments& arguments);
void declare_options(OptionSet& options, VersionArguments& arguments);
int run_verb(const App& app, const VersionArguments& arguments);
void declare_options(OptionSet& options, HelpArguments& arguments);
int run_verb(const App& app, const HelpArguments& arguments);

}  // namespace lade::cli
