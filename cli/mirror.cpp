#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/temporary_file.hpp"
#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/verb_options.hpp"
#include "cli/verbs.hpp"
#include "registry/sync/mirror_bundle.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade::cli {

namespace {

using registry::BundleBase;
using registry::MirrorState;
using registry::OciLayout;

constexpr std::size_t k_state_cap = std::size_t{256} << 20;

/// Passes everything through and takes its digest.
class DigestSink final : public Sink {
 public:
  explicit DigestSink(Sink& inner) : inner_(inner) {}
  void write(std::span<const std::byte> data) override {
    hasher_.update(data);
    inner_.write(data);
  }
  Digest finish() { return Digest::parse("sha256:" + hasher_.finish_hex()); }

 private:
  Sink& inner_;
  Hasher hasher_{HashAlgorithm::sha256};
};

MirrorState read_state(const std::string& path) {
  return MirrorState::parse(read_file(path, k_state_cap), path);
}

BundleBase base_of(const MirrorBundleArguments& arguments) {
  if (arguments.base) {
    return {read_state(*arguments.base), BundleBase::Names::add_and_remove};
  }
  if (arguments.have) return {read_state(*arguments.have)};
  return {};
}

/// write_output(); the digest of what was written.
template <class Write>
Digest write_digested(const std::string& path, Write&& write) {
  std::optional<Digest> digest;
  write_output(path, [&](Sink& out) {
    DigestSink digested(out);
    write(digested);
    digest = digested.finish();
  });
  return *digest;
}

/// `--digest`: the whole file, before anything in it is believed.
void require_digest(const std::string& path, const Digest& expected, const Job& job) {
  FdSource source(open_file(path, O_RDONLY), path);
  Hasher hasher(expected.algorithm());
  std::vector<std::byte> buffer(k_copy_buffer);
  while (const std::size_t count = source.read(buffer)) {
    if (job.stop.stop_requested()) throw Cancelled();
    hasher.update(std::span(buffer).first(count));
  }
  const std::string hex = hasher.finish_hex();
  if (hex == expected.hex()) return;
  throw Refused(str("the bundle is not the one of that digest: expected ", quoted(expected.text()),
                    ", got ", quoted(str(expected.algorithm_name(), ':', hex))));
}

}  // namespace

void declare_options(OptionSet& options, MirrorStateArguments& state) {
  options.argument("directory", state.directory);
}

int run_verb(const App&, const MirrorStateArguments& arguments) {
  const OciLayout layout = OciLayout::open(arguments.directory);
  write_result(MirrorState::of(layout).text());
  return exit_code::done;
}

void declare_options(OptionSet& options, MirrorBundleArguments& bundle) {
  options.argument("directory", bundle.directory);
  options.argument("bundle", bundle.output);
  options.value("--base", bundle.base);
  options.value("--have", bundle.have);
  options.flag("-q,--quiet", bundle.quiet);
  options.check([&] {
    if (bundle.base && bundle.have) throw UsageError("cannot use --base and --have together");
  });
}

int run_verb(const App& app, const MirrorBundleArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const OciLayout layout = OciLayout::open(arguments.directory);
  const auto head = registry::plan_bundle(layout, base_of(arguments));
  const Digest digest = write_digested(
      arguments.output, [&](Sink& sink) { registry::write_bundle(layout, head, sink, job); });
  std::uint64_t bytes = 0;
  for (const auto& [blob, size] : head.contained) bytes += size;
  observer->note(NoteLevel::info,
                 str("bundled ", head.images.size(), " images: ", head.contained.size(), " blobs (",
                     human_size(bytes), "), ", head.needed.size(), " are there already"));
  if (arguments.output != "-") write_result(str(digest.text(), "  ", arguments.output, '\n'));
  return exit_code::done;
}

void declare_options(OptionSet& options, MirrorApplyArguments& apply) {
  options.argument("bundle", apply.bundle);
  options.argument("directory", apply.directory);
  options.value("--digest", apply.digest);
  options.number("--jobs", apply.jobs, k_jobs);
  options.flag("-q,--quiet", apply.quiet);
}

int run_verb(const App& app, const MirrorApplyArguments& arguments) {
  const InterruptWatch interrupt;
  const auto observer = make_progress(arguments.quiet ? ProgressStyle::none : app.global.progress);
  const Job job{interrupt.stop(), *observer};
  const auto context = [&] { return str("apply ", quoted(arguments.bundle)); };
  const auto applied = in_context(context, [&] {
    if (arguments.digest) {
      const auto digest = Digest::try_parse(*arguments.digest);
      if (!digest)
        throw UsageError(str("--digest ", quoted(*arguments.digest), " is not a digest"));
      require_digest(arguments.bundle, *digest, job);
    }
    const auto bundle = registry::ArchiveFile::open(arguments.bundle, {.stop = job.stop});
    return registry::apply_bundle(bundle, arguments.directory, arguments.jobs, job);
  });
  observer->note(NoteLevel::info,
                 str("applied ", applied.images, " images: ", applied.blobs, " new blobs (",
                     human_size(applied.bytes), "), ", applied.removed, " names removed"));
  return exit_code::done;
}

}  // namespace lade::cli
