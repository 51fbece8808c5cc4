#include "cli/parse.hpp"

#include "base/error.hpp"
#include "cli/help_pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <class Arguments>
Arguments parsed(const std::vector<std::string>& words) {
  return std::get<Arguments>(parse(words).arguments);
}

std::string usage_error(const std::vector<std::string>& words) {
  try {
    parse(words);
  } catch (const UsageError& error) {
    EXPECT_FALSE(error.hint().empty());
    return error.what();
  }
  return "no error";
}

TEST(Parse, TakesGlobalOptionsBeforeTheVerb) {
  const Invocation invocation = parse({"--root", "/x", "--progress", "plain", "--debug", "images"});
  EXPECT_EQ(invocation.global.root, "/x");
  EXPECT_EQ(invocation.global.progress, ProgressStyle::plain);
  EXPECT_TRUE(invocation.global.debug);
  EXPECT_EQ(invocation.verb, "images");
}

TEST(Parse, RunLeavesEverythingAfterTheImageToTheContainer) {
  const auto run = parsed<RunArguments>({"run", "--rm", "-it", "-e", "A=1", "-e", "B", "alpine",
                                         "ls", "--rm", "-e", "C=3", "--", "x"});
  EXPECT_TRUE(run.remove);
  EXPECT_TRUE(run.interactive);
  EXPECT_TRUE(run.terminal);
  EXPECT_THAT(run.env, ElementsAre("A=1", "B"));
  EXPECT_EQ(run.image, "alpine");
  EXPECT_THAT(run.command, ElementsAre("ls", "--rm", "-e", "C=3", "--", "x"));
}

TEST(Parse, RunTakesOptionValuesInEveryForm) {
  const auto run = parsed<RunArguments>({"run", "--env=A=1,2", "-v/a:/b:ro", "--network=host", "-w",
                                         "/tmp", "-h", "box", "--entrypoint", "", "img"});
  EXPECT_THAT(run.env, ElementsAre("A=1,2"));
  EXPECT_THAT(run.volumes, ElementsAre("/a:/b:ro"));
  EXPECT_EQ(run.network, "host");
  EXPECT_EQ(run.workdir, "/tmp");
  EXPECT_EQ(run.hostname, "box");
  EXPECT_EQ(run.entrypoint, "");
  EXPECT_THAT(run.command, IsEmpty());
}

TEST(Parse, RunAcceptsADoubleDashBeforeTheImage) {
  const auto run = parsed<RunArguments>({"run", "--rm", "--", "img", "-x"});
  EXPECT_EQ(run.image, "img");
  EXPECT_THAT(run.command, ElementsAre("-x"));
}

TEST(Parse, TlsVerifyIsTheConfigurationsUnlessGiven) {
  EXPECT_EQ(parsed<PullArguments>({"pull", "x"}).registry.tls_verify, std::nullopt);
  EXPECT_EQ(parsed<PullArguments>({"pull", "--tls-verify", "x"}).registry.tls_verify, true);
  EXPECT_EQ(parsed<PullArguments>({"pull", "--tls-verify=true", "x"}).registry.tls_verify, true);
  EXPECT_EQ(parsed<PullArguments>({"pull", "--tls-verify=false", "x"}).registry.tls_verify, false);
}

TEST(Parse, PullTakesSeveralNames) {
  const auto pull = parsed<PullArguments>({"pull", "-q", "a", "b:1"});
  EXPECT_THAT(pull.names, ElementsAre("a", "b:1"));
  EXPECT_TRUE(pull.quiet);
}

TEST(Parse, CopyTakesSkopeosWords) {
  const auto copy = parsed<CopyArguments>(
      {"copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests",
       "--image-parallel-copies", "6", "--retry-times", "0", "--src-creds", "a:b", "--authfile",
       "/f", "docker://x", "oci:y:1"});
  EXPECT_EQ(copy.source, "docker://x");
  EXPECT_EQ(copy.destination, "oci:y:1");
  EXPECT_TRUE(copy.quiet);
  EXPECT_EQ(copy.jobs, 6u);
  EXPECT_EQ(copy.transfer.retry_times, 0);
  EXPECT_EQ(copy.source_registry.tls_verify, false);
  EXPECT_EQ(copy.source_registry.credentials, "a:b");
  EXPECT_EQ(copy.source_registry.auth_file, "/f");
}

TEST(Parse, CopyKeepsItsTwoSidesApart) {
  const auto copy = parsed<CopyArguments>(
      {"copy", "--authfile", "/both", "--dest-authfile", "/theirs", "--dest-creds", "c:d",
       "--dest-cert-dir", "/certs", "--dest-tls-verify=false", "--digestfile", "/digest",
       "--dest-chunk-size", "4M", "oci:y:1", "docker://x"});
  EXPECT_EQ(copy.source_registry.auth_file, "/both");
  EXPECT_EQ(copy.destination_registry.auth_file, "/theirs");
  EXPECT_EQ(copy.destination_registry.credentials, "c:d");
  EXPECT_EQ(copy.destination_registry.cert_dir, "/certs");
  EXPECT_EQ(copy.destination_registry.tls_verify, false);
  EXPECT_EQ(copy.source_registry.tls_verify, std::nullopt);
  EXPECT_EQ(copy.digest_file, "/digest");
  EXPECT_EQ(copy.chunk_size, 4u * 1024 * 1024);
}

TEST(Parse, PushTakesPodmansWords) {
  const auto push = parsed<PushArguments>(
      {"push", "-q", "--digestfile", "/f", "--tls-verify=false", "--creds", "a:b", "--authfile",
       "/auth", "--cert-dir", "/c", "--remove-signatures", "--retry", "5", "alpine", "docker://x"});
  EXPECT_EQ(push.image, "alpine");
  EXPECT_EQ(push.destination, "docker://x");
  EXPECT_TRUE(push.quiet);
  EXPECT_EQ(push.digest_file, "/f");
  EXPECT_EQ(push.registry.tls_verify, false);
  EXPECT_EQ(push.registry.credentials, "a:b");
  EXPECT_EQ(push.transfer.retry_times, 5);
  EXPECT_FALSE(parsed<PushArguments>({"push", "alpine"}).destination);
  EXPECT_THAT(usage_error({"push"}), HasSubstr("no image given"));
  EXPECT_THAT(usage_error({"push", "--compress", "x"}),
              HasSubstr("option `--compress` is not supported yet"));
}

TEST(Parse, DeleteTakesSkopeosWords) {
  const auto remove = parsed<DeleteArguments>(
      {"delete", "--tag-only", "--tls-verify=false", "--retry-times", "0", "docker://x"});
  EXPECT_EQ(remove.reference, "docker://x");
  EXPECT_TRUE(remove.tag_only);
  EXPECT_EQ(remove.transfer.retry_times, 0);
  EXPECT_THAT(usage_error({"delete"}), HasSubstr("no reference given"));
}

TEST(Parse, CopyRefusesWhatItCannotDo) {
  EXPECT_THAT(usage_error({"copy", "--sign-by-sigstore", "x", "docker://x", "oci:y"}),
              HasSubstr("option `--sign-by-sigstore` is not supported yet"));
  EXPECT_THAT(usage_error({"copy", "--sign-identity", "a.example/x", "docker://x", "oci:y"}),
              HasSubstr("must be a fully specified reference"));
  const auto signing = parsed<CopyArguments>(
      {"copy", "--sign-by", "AB", "--sign-passphrase-file", "/p", "--sign-identity", "a/b:1",
       "--remove-list-signatures", "docker://x", "docker://y"});
  EXPECT_EQ(signing.signatures.sign_by, "AB");
  EXPECT_EQ(signing.signatures.passphrase_file, "/p");
  EXPECT_EQ(signing.signatures.identity, "a/b:1");
  EXPECT_TRUE(signing.signatures.remove_of_lists);
  EXPECT_FALSE(signing.signatures.remove);
  EXPECT_THAT(usage_error({"copy", "--frob", "docker://x", "oci:y"}),
              HasSubstr("unknown option `--frob`"));
  EXPECT_THAT(usage_error({"copy"}), HasSubstr("no source given"));
  EXPECT_THAT(usage_error({"copy", "docker://x"}), HasSubstr("no destination given"));
}

std::string copy_error(std::vector<std::string> options) {
  options.insert(options.begin(), "copy");
  options.insert(options.end(), {"docker://x", "oci:y"});
  return usage_error(options);
}

TEST(Parse, CopySaysWhatDoesNotFitTogether) {
  EXPECT_THAT(copy_error({"--all", "--multi-arch", "all"}),
              HasSubstr("cannot use --all and --multi-arch flags together"));
  EXPECT_THAT(copy_error({"--all", "--platform", "linux/amd64,linux/arm64"}),
              HasSubstr("several platforms exclude --all"));
  EXPECT_THAT(copy_error({"--multi-arch", "bogus"}),
              HasSubstr("unknown multi-arch option `bogus`"));
  EXPECT_THAT(copy_error({"--format", "v2s1"}), HasSubstr("--format v2s1"));
  EXPECT_THAT(copy_error({"--format", "v3"}), HasSubstr("unknown format `v3`"));
  EXPECT_THAT(copy_error({"--dest-compress-format", "zstd:chunked"}), HasSubstr("zstd:chunked"));
  EXPECT_THAT(copy_error({"--dest-compress-format", "xz"}), HasSubstr("unknown compression `xz`"));
  EXPECT_THAT(copy_error({"--dest-compress-format", "gzip", "--dest-compress-level", "10"}),
              HasSubstr("gzip has the levels 0 to 9"));
  EXPECT_THAT(copy_error({"--dest-compress", "--dest-decompress"}),
              HasSubstr("cannot use --dest-compress and --dest-decompress"));
  EXPECT_THAT(copy_error({"--src-creds", "a:b", "--src-no-creds"}),
              HasSubstr("creds and no-creds cannot be specified at the same time"));
  EXPECT_THAT(copy_error({"--dest-username", "a", "--dest-password", "b", "--dest-no-creds"}),
              HasSubstr("username and no-creds cannot be specified at the same time"));
  EXPECT_THAT(copy_error({"--dest-username", "a", "--dest-creds", "a:b"}),
              HasSubstr("creds and username cannot be specified at the same time"));
  EXPECT_THAT(copy_error({"--src-username", "a"}),
              HasSubstr("password must be specified when username is specified"));
  EXPECT_THAT(copy_error({"--src-password", "a"}),
              HasSubstr("username must be specified when password is specified"));
}

TEST(Parse, CopyTakesSeveralDestinations) {
  const auto copy = parsed<CopyArguments>({"copy", "docker://x", "oci:a", "oci:b", "dir:c"});
  EXPECT_EQ(copy.destination, "oci:a");
  EXPECT_THAT(copy.more_destinations, ElementsAre("oci:b", "dir:c"));
}

TEST(Parse, SyncTakesSkopeosCommandLine) {
  const auto sync = parsed<SyncArguments>({"sync",
                                           "--src",
                                           "yaml",
                                           "--dest",
                                           "docker",
                                           "--all",
                                           "--scoped",
                                           "--append-suffix",
                                           "-x",
                                           "--dry-run",
                                           "--keep-going",
                                           "--digestfile",
                                           "f",
                                           "--preserve-digests",
                                           "--format",
                                           "oci",
                                           "--remove-signatures",
                                           "--src-tls-verify=false",
                                           "--dest-creds",
                                           "u:p",
                                           "--retry-times",
                                           "3",
                                           "--check-destination",
                                           "list.yaml",
                                           "r.example/p"});
  EXPECT_EQ(sync.from, "yaml");
  EXPECT_EQ(sync.to, "docker");
  EXPECT_EQ(sync.copy.source, "list.yaml");
  EXPECT_EQ(sync.copy.destination, "r.example/p");
  EXPECT_TRUE(sync.copy.all && sync.scoped && sync.dry_run && sync.keep_going);
  EXPECT_TRUE(sync.check_destination);
  EXPECT_EQ(sync.append_suffix, "-x");
  EXPECT_EQ(sync.copy.source_registry.tls_verify, false);
  EXPECT_EQ(sync.copy.destination_registry.credentials, "u:p");
}

TEST(Parse, SyncRefusesWhatDoesNotFitTogether) {
  const auto error = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"sync", "--src", "docker", "--dest", "oci", "a", "b"});
    return usage_error(more);
  };
  EXPECT_THAT(usage_error({"sync", "--dest", "dir", "a", "b"}), HasSubstr("source transport"));
  EXPECT_THAT(usage_error({"sync", "--src", "dir", "--dest", "dir", "a", "b"}), HasSubstr("rsync"));
  EXPECT_THAT(usage_error({"sync", "--src", "frob", "--dest", "dir", "a", "b"}),
              HasSubstr("not a valid source transport"));
  EXPECT_THAT(error({"--frozen"}), HasSubstr("--lock"));
  EXPECT_THAT(error({"--protect", "x"}), HasSubstr("--prune"));
  EXPECT_THAT(error({"--shard", "2/2"}), HasSubstr("I/N"));
  EXPECT_THAT(error({"--sign-by-sigstore", "x"}), HasSubstr("--sign-by-sigstore"));
}

TEST(Parse, MirrorVerbsAreOfTwoWords) {
  const auto verify =
      parsed<MirrorVerifyArguments>({"mirror", "verify", "--repair", "--from", "docker://x",
                                     "--diffid", "--format", "json", "d"});
  EXPECT_EQ(verify.place, "d");
  EXPECT_TRUE(verify.repair && verify.diff_ids);
  EXPECT_EQ(verify.format, OutputFormat::json);
  EXPECT_EQ(parsed<MirrorStateArguments>({"mirror", "state", "d"}).directory, "d");
  EXPECT_EQ(parsed<MirrorBundleArguments>({"mirror", "bundle", "--have", "s", "d", "-"}).output,
            "-");
  EXPECT_EQ(parsed<MirrorApplyArguments>({"mirror", "apply", "b", "d"}).directory, "d");
  EXPECT_THAT(usage_error({"mirror", "bundle", "--have", "s", "--base", "s", "d", "o"}),
              HasSubstr("together"));
  EXPECT_THAT(usage_error({"mirror", "verify", "--from", "docker://x", "d"}),
              HasSubstr("--repair"));
  EXPECT_THAT(usage_error({"mirror", "verify", "--repair", "docker://x"}), HasSubstr("--from"));
}

TEST(Parse, ReadingVerbs) {
  const auto catalog =
      parsed<CatalogArguments>({"catalog", "--full-ref", "--format", "json", "localhost:5000"});
  EXPECT_EQ(catalog.registry_name, "localhost:5000");
  EXPECT_EQ(catalog.format, OutputFormat::json);
  EXPECT_TRUE(catalog.full_ref);
  const auto referrers = parsed<ReferrersArguments>(
      {"referrers", "--artifact-type", "a/b", "--platform", "linux/arm64", "x"});
  EXPECT_EQ(referrers.artifact_type, "a/b");
  EXPECT_EQ(referrers.platform, "linux/arm64");
  EXPECT_EQ(referrers.format, OutputFormat::table);
  EXPECT_EQ(parsed<BlobArguments>({"blob", "x@y"}).reference, "x@y");
  EXPECT_EQ(parsed<RateLimitArguments>({"ratelimit", "x"}).reference, "x");
  for (const std::string verb : {"catalog", "referrers", "blob", "ratelimit"}) {
    EXPECT_THAT(usage_error({verb}), HasSubstr("given"));
  }
}

TEST(Parse, HowTheStoreIsFlushed) {
  EXPECT_EQ(parse({"images"}).global.sync, store::SyncMode::fs);
  EXPECT_EQ(parse({"--sync", "files", "images"}).global.sync, store::SyncMode::files);
  EXPECT_EQ(parse({"--sync=none", "images"}).global.sync, store::SyncMode::none);
}

TEST(Parse, Signatures) {
  const Invocation global = parse({"--policy", "/p", "--registries.d", "/d", "--require-signed",
                                   "--insecure-policy", "pull", "x"});
  EXPECT_EQ(global.global.policy, "/p");
  EXPECT_EQ(global.global.registries_d, "/d");
  EXPECT_TRUE(global.global.require_signed);
  EXPECT_TRUE(global.global.insecure_policy);
  EXPECT_EQ(global.global.missing_policy, MissingPolicy::accepts);
  EXPECT_EQ(parsed<ManifestDigestArguments>({"manifest-digest", "m"}).manifest, "m");
  const auto sign = parsed<StandaloneSignArguments>(
      {"standalone-sign", "m", "r:1", "AB", "-o", "s", "--passphrase-file", "p"});
  EXPECT_EQ(sign.reference, "r:1");
  EXPECT_EQ(sign.key, "AB");
  EXPECT_EQ(sign.output, "s");
  EXPECT_EQ(sign.passphrase_file, "p");
  EXPECT_THAT(usage_error({"standalone-sign", "m", "r:1", "AB"}), HasSubstr("no --output"));
  const auto verify = parsed<StandaloneVerifyArguments>(
      {"standalone-verify", "m", "r:1", "any", "s", "--public-key-file", "k"});
  EXPECT_EQ(verify.keys, "any");
  EXPECT_EQ(verify.signature, "s");
  EXPECT_THAT(usage_error({"standalone-verify", "m", "r:1", "any", "s"}),
              HasSubstr("without a public key file"));
}

TEST(Parse, HelpAndVersionInTheirForms) {
  EXPECT_THAT(parsed<HelpArguments>({"help", "run"}).verb, ElementsAre("run"));
  EXPECT_THAT(parsed<HelpArguments>({"run", "--help"}).verb, ElementsAre("run"));
  EXPECT_THAT(parsed<HelpArguments>({"pull", "-h"}).verb, ElementsAre("pull"));
  EXPECT_THAT(parsed<HelpArguments>({"--help"}).verb, IsEmpty());
  EXPECT_EQ(parse({"--version"}).verb, "version");
  EXPECT_EQ(parse({"version"}).verb, "version");
}

TEST(Parse, RefusesByName) {
  EXPECT_THAT(usage_error({"frobnicate"}), HasSubstr("unknown verb `frobnicate`"));
  EXPECT_THAT(usage_error({}), HasSubstr("no verb given"));
  EXPECT_THAT(usage_error({"run", "--memory", "5", "img"}), HasSubstr("unknown option `--memory`"));
  EXPECT_THAT(usage_error({"run"}), HasSubstr("no image given"));
  EXPECT_THAT(usage_error({"pull", "--frob", "x"}), HasSubstr("unknown option `--frob`"));
  EXPECT_THAT(usage_error({"pull"}), HasSubstr("no image name given"));
  EXPECT_THAT(usage_error({"list-tags", "a", "b"}), HasSubstr("unexpected argument `b`"));
  EXPECT_THAT(usage_error({"images", "--format", "xml"}), HasSubstr("a Go template"));
  EXPECT_THAT(usage_error({"run", "--pull", "newer", "x"}), HasSubstr("missing, always or never"));
  EXPECT_THAT(usage_error({"--progress", "loud", "images"}), HasSubstr("`loud`"));
  EXPECT_THAT(usage_error({"pull", "--jobs", "0", "x"}), HasSubstr("jobs"));
}

TEST(Parse, AnErrorIsOneLine) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"fro\nb"}, {"run", "--m\x1b[31m"}, {"pull", "--jobs", "x\ny", "z"}}) {
    const std::string text = usage_error(words);
    EXPECT_EQ(text.find_first_of("\n\x1b"), std::string::npos) << text;
  }
}

TEST(Help, EachPageNamesEveryOptionOfItsVerb) {
  std::vector<std::string> verbs = verb_names();
  verbs.emplace_back();
  for (const std::string& verb : verbs) {
    const auto page = find_help_page(verb.empty() ? "overview" : verb.substr(0, verb.find(' ')));
    ASSERT_TRUE(page) << verb;
    for (const std::string& option : options_of(verb)) {
      EXPECT_THAT(std::string(*page), HasSubstr(option)) << "page of `" << verb << "`";
    }
  }
  EXPECT_FALSE(find_help_page("frobnicate"));
}

TEST(Help, PagesFitATerminal) {
  std::vector<std::string> verbs = verb_names();
  verbs.emplace_back("overview");
  for (const std::string& verb : verbs) {
    std::string_view page = *find_help_page(verb.substr(0, verb.find(' ')));
    while (!page.empty()) {
      const auto end = page.find('\n');
      EXPECT_LE(page.substr(0, end).size(), 100u) << verb << ": " << page.substr(0, end);
      page.remove_prefix(end == std::string_view::npos ? page.size() : end + 1);
    }
  }
}

}  // namespace
}  // namespace lade::cli
