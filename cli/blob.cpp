#include "base/error.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/connection.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/transfer.hpp"
#include "cli/verb_options.hpp"
#include "oci/verified_source.hpp"
#include "registry/resuming_source.hpp"

namespace lade::cli {

namespace {

class OutputSink final : public Sink {
 public:
  void write(std::span<const std::byte> data) override { write_result(as_text(data)); }
};

}  // namespace

void declare_options(OptionSet& options, BlobArguments& blob) {
  options.argument("reference", blob.reference);
  declare(options, blob.registry);
}

int run_verb(const App& app, const BlobArguments& arguments) {
  const Reference reference = registry_reference(arguments.reference);
  if (!reference.digest()) {
    throw UsageError(str("blob: ", quoted(arguments.reference), ": no digest given"));
  }
  const InterruptWatch interrupt;
  const auto observer = make_progress(ProgressStyle::none);
  const RegistryAccess registries(app, arguments.registry, {interrupt.stop(), *observer});
  const auto context = [&] {
    return str("fetch blob ", quoted(reference.digest()->text()), " of ",
               quoted(reference.repository()));
  };
  in_context(context, [&] {
    auto repository = registries.open(reference, registry::Reading::image);
    const Descriptor descriptor = repository.describe_blob(*reference.digest());
    const registry::RetryPolicy retry = retry_policy({}, *observer);
    registry::ResumingSource bytes(repository, descriptor, {},
                                   {.retry = retry, .stop = interrupt.stop()});
    VerifiedSource verified(bytes, descriptor);
    OutputSink output;
    pump(verified, output, interrupt.stop());
  });
  return 0;
}

}  // namespace lade::cli
