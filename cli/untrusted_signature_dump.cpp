#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/policy.hpp"
#include "cli/views.hpp"
#include "registry/signing/payload.hpp"
#include "registry/signing/stored_signature.hpp"

namespace lade::cli {

void declare_options(OptionSet& options, SignatureDumpArguments& dump) {
  options.argument("signature", dump.signature);
}

int run_verb(const App& app, const SignatureDumpArguments& arguments) {
  const InterruptWatch interrupt;
  const auto context = [&] { return str("decode the signature ", quoted(arguments.signature)); };
  const std::string text = in_context(context, [&] {
    const std::string bytes = read_file(arguments.signature, registry::k_signature_cap);
    const auto message =
        registry::read_untrusted_message(gpg_program(app, interrupt.stop()), bytes);
    const auto claim = registry::parse_payload(message.content, registry::PayloadType::simple);
    return pretty_json(untrusted_signature_value(claim, message.key_id));
  });
  write_result(text);
  return 0;
}

}  // namespace lade::cli
