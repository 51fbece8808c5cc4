#include "registry/sync/sync.hpp"

#include "base/text.hpp"
#include "registry/host.hpp"
#include "registry/repository_pool.hpp"
#include "registry/sync/sync_listing.hpp"
#include "registry/sync/sync_targets.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace lade::registry {
namespace {

using test::FakeRegistry;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Platform k_amd64{"linux", "amd64", "", ""};

class SyncTest : public testing::Test {
 protected:
  SyncTest() {
    options_.hosts = std::make_shared<HostPool>();
    for (const char* tag : {"1", "2", "3"}) add(tag, str("layer of ", tag));
    source_.set_tags("lib/app", {"1", "2", "3"});
  }

  Descriptor add(const std::string& tag, const std::string& layer) {
    return source_.add_image("lib/app", tag, str("{\"tag\":\"", tag, "\"}"), {"shared", layer});
  }

  SyncSource app() { return {.repository = Reference::parse(source_.authority() + "/lib/app")}; }

  std::vector<SyncItem> items(SyncNames names = SyncNames::scoped) {
    const auto list = [this](const Reference& repository) {
      return pool_.get(repository, options_, {}).tags();
    };
    return list_registries({app()}, list, {.naming = {.names = names}}, job_).items;
  }

  MirroredRepository open(const Reference& reference) {
    return {PullPlan{.endpoints = {{.reference = reference}}},
            [this](const PullEndpoint& endpoint) {
              return std::make_unique<Repository>(pool_.get(endpoint.reference, options_, {}));
            },
            [](const PullEndpoint&, const Error&) {}};
  }

  SyncReport run(const std::vector<SyncItem>& list, SyncTarget& target, SyncOptions options) {
    SyncReport report;
    options.system = k_amd64;
    sync_images(
        list, [this](const Reference& reference) { return open(reference); }, target, options, job_,
        report);
    return report;
  }
  SyncReport run(const std::vector<SyncItem>& list, SyncTarget& target) {
    return run(list, target, {.instances = {}, .system = k_amd64});
  }

  std::string mirror() const { return scratch_.path() + "/mirror"; }
  LayoutTarget layout() const { return LayoutTarget(mirror(), {}); }
  RegistryTarget registry(SyncMemory memory = {},
                          RegistryTarget::Belief belief = RegistryTarget::Belief::remembered) {
    return RegistryTarget(
        {.root = destination_.authority() + "/copies",
         .upload = {},
         .connect =
             [this](const Reference& reference) { return pool_.get(reference, options_, {}); },
         .belief = belief},
        std::move(memory));
  }
  SyncMemory memory() const { return SyncMemory::in_directory(scratch_.path() + "/memory"); }
  /// What a run in which nothing is to be copied asks the destination for.
  std::size_t heads_of_run(SyncMemory memory,
                           RegistryTarget::Belief belief = RegistryTarget::Belief::remembered) {
    const auto list = items(SyncNames::base);
    const std::size_t before = requests(destination_, "HEAD /v2/copies/app/manifests/");
    auto target = registry(std::move(memory), belief);
    EXPECT_EQ(run(list, target).unchanged, 3U);
    return requests(destination_, "HEAD /v2/copies/app/manifests/") - before;
  }
  std::size_t requests(FakeRegistry& fake, std::string_view part) {
    return fake.requests_for(part).size();
  }

  FakeRegistry source_;
  FakeRegistry destination_;
  ConnectionOptions options_ = fake_options();
  RepositoryPool pool_;
  Scratch scratch_;
  NullObserver observer_;
  Job job_{{}, observer_};
};

TEST_F(SyncTest, MirrorsAllTagsAndFetchesWhatTheyShareOnce) {
  auto target = layout();
  const SyncReport report = run(items(), target);
  EXPECT_EQ(report.copied, 3U);
  const auto index = OciLayout::open(mirror()).read_index();
  for (const char* tag : {"1", "2", "3"}) {
    EXPECT_NO_THROW(index.get(str(source_.authority(), "/lib/app:", tag)));
  }
  EXPECT_EQ(requests(source_, "GET /v2/lib/app/blobs/" + Digest::of("shared").text()), 1U);
}

TEST_F(SyncTest, ARunInWhichNothingChangedCostsOneHeadForEachTag) {
  {
    auto target = layout();
    run(items(), target);
  }
  const auto list = items();
  const std::size_t before = source_.requests().size();
  auto target = layout();
  const SyncReport report = run(list, target);
  EXPECT_EQ(report.unchanged, 3U);
  EXPECT_EQ(source_.requests().size() - before, 3U);
  EXPECT_EQ(requests(source_, "HEAD /v2/lib/app/manifests/"), 6U);
}

TEST_F(SyncTest, CopiesOnlyTheTagThatMoved) {
  {
    auto target = layout();
    run(items(), target);
  }
  const Descriptor moved = add("2", "another layer");
  auto target = layout();
  const SyncReport report = run(items(), target);
  EXPECT_EQ(report.copied, 1U);
  EXPECT_EQ(report.unchanged, 2U);
  EXPECT_EQ(report.blobs_fetched, 1U);
  EXPECT_EQ(OciLayout::open(mirror())
                .read_index()
                .get(str(source_.authority(), "/lib/app:2"))
                .descriptor.digest,
            moved.digest);
}

TEST_F(SyncTest, CopiesAgainWhatWasCopiedInAnotherSelection) {
  {
    auto target = layout();
    run(items(), target);
  }
  const Descriptor list = source_.add_manifest(
      "lib/app", "1",
      str(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)",
          R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")",
          source_.find_manifest("lib/app", "2")->digest.text(), R"(","size":)",
          source_.find_manifest("lib/app", "2")->bytes.size(),
          R"(,"platform":{"os":"linux","architecture":"amd64"}}]})"),
      "application/vnd.oci.image.index.v1+json");
  const std::string name = str(source_.authority(), "/lib/app:1");
  const auto digest_now = [&] {
    return OciLayout::open(mirror()).read_index().get(name).descriptor.digest;
  };
  auto first = layout();
  EXPECT_EQ(run(items(), first).copied, 1U);
  EXPECT_NE(digest_now(), list.digest) << "one image, not the list";
  auto second = layout();
  EXPECT_EQ(run(items(), second, {.instances = {Instances::Which::all}, .system = k_amd64}).copied,
            1U);
  EXPECT_EQ(digest_now(), list.digest);
  auto third = layout();
  EXPECT_EQ(
      run(items(), third, {.instances = {Instances::Which::all}, .system = k_amd64}).unchanged, 3U);
}

TEST_F(SyncTest, AsksBothRegistriesByHeadAndNobodyForAManifest) {
  auto first = registry();
  EXPECT_EQ(run(items(SyncNames::base), first).copied, 3U);
  EXPECT_TRUE(destination_.find_manifest("copies/app", "2"));
  const std::size_t gets = requests(source_, "GET /v2/lib/app/manifests/");
  auto second = registry();
  EXPECT_EQ(run(items(SyncNames::base), second).unchanged, 3U);
  EXPECT_EQ(requests(source_, "GET /v2/lib/app/manifests/"), gets);
  EXPECT_EQ(requests(destination_, "GET /v2/copies/app/manifests/"), 0U);
}

TEST_F(SyncTest, SendsWhatImagesShareOnce) {
  destination_.set_rules({.separate_repositories = true});
  auto target = registry();
  run(items(SyncNames::base), target);
  std::size_t uploads = 0;
  for (const auto& request : destination_.requests_for("PUT /v2/copies/app/blobs/")) {
    uploads += parameter(request, "digest") == Digest::of("shared").text() ? 1U : 0U;
  }
  EXPECT_EQ(uploads, 1U);
}

TEST_F(SyncTest, RemembersInAStateFileWhichImageOfAListItWas) {
  const std::string path = scratch_.path() + "/state";
  source_.add_manifest(
      "lib/app", "1",
      str(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)",
          R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")",
          source_.find_manifest("lib/app", "2")->digest.text(), R"(","size":)",
          source_.find_manifest("lib/app", "2")->bytes.size(),
          R"(,"platform":{"os":"linux","architecture":"amd64"}}]})"),
      "application/vnd.oci.image.index.v1+json");
  auto first = registry(SyncMemory::in_file(path));
  EXPECT_EQ(run(items(SyncNames::base), first).copied, 3U);
  const std::size_t gets = requests(source_, "GET /v2/lib/app/manifests/");
  auto second = registry(SyncMemory::in_file(path));
  EXPECT_EQ(run(items(SyncNames::base), second).unchanged, 3U) << "it lists no tags";
  EXPECT_EQ(requests(source_, "GET /v2/lib/app/manifests/"), gets);
  destination_.set_tags("copies/app", {"1", "2"});
  const std::size_t heads = requests(destination_, "HEAD /v2/copies/app/manifests/");
  auto third = registry(SyncMemory::in_file(path));
  EXPECT_EQ(run(items(SyncNames::base), third).unchanged, 3U);
  EXPECT_EQ(requests(destination_, "HEAD /v2/copies/app/manifests/") - heads, 1U)
      << "what is not on the list is asked for";
  auto forgetful = registry();
  EXPECT_EQ(run(items(SyncNames::base), forgetful).unchanged, 3U);
  EXPECT_GT(requests(source_, "GET /v2/lib/app/manifests/"), gets);
}

TEST_F(SyncTest, BetweenRegistriesARunInWhichNothingChangedCostsOneHeadForEachTag) {
  auto first = registry(memory());
  EXPECT_EQ(run(items(SyncNames::base), first).copied, 3U);
  destination_.set_tags("copies/app", {"1", "2", "3"});
  const auto list = items(SyncNames::base);
  const std::size_t before = source_.requests().size();
  EXPECT_EQ(heads_of_run(memory()), 0U);
  EXPECT_EQ(requests(source_, "HEAD /v2/lib/app/manifests/"), 6U);
  EXPECT_EQ(source_.requests().size() - before, 4U) << "and the list of tags";
  EXPECT_EQ(requests(source_, "GET /v2/lib/app/manifests/"), 3U) << "of the first run";
  EXPECT_EQ(heads_of_run(memory(), RegistryTarget::Belief::asked), 3U);
  EXPECT_EQ(heads_of_run({}), 3U);
}

TEST_F(SyncTest, AsksAgainForWhatWasSeenAWeekAgoOrIsNoLongerListed) {
  auto first = registry(memory());
  run(items(SyncNames::base), first);
  destination_.set_tags("copies/app", {"1", "3"});
  EXPECT_EQ(heads_of_run(memory()), 1U);
  destination_.set_tags("copies/app", {"1", "2", "3"});
  const std::string file =
      scratch_.path() + "/memory/" + Digest::of(destination_.authority() + "/copies/app").hex();
  const auto age = [&](std::int64_t seconds) {
    auto entries = SyncState::parse(read_file(file, 1 << 20), file);
    ASSERT_THAT(entries, SizeIs(3));
    for (auto& [name, present] : entries) present.seen -= seconds;
    std::ofstream(file) << SyncState::print(entries);
  };
  age(6 * 24 * 60 * 60);
  EXPECT_EQ(heads_of_run(memory()), 0U);
  age(24 * 60 * 60);
  EXPECT_EQ(heads_of_run(memory()), 3U);
  EXPECT_EQ(heads_of_run(memory()), 0U) << "it was asked for just now";
  age(-60 * 60);
  EXPECT_EQ(heads_of_run(memory()), 3U) << "nothing was seen in the future";
}

TEST_F(SyncTest, ForgetsWhatAnInterruptedRunMayHaveChanged) {
  auto first = registry(memory());
  run(items(SyncNames::base), first);
  destination_.set_tags("copies/app", {"1", "2", "3"});
  {
    // Died after it had written the tag, and before it could say so.
    auto died = registry(memory());
    died.open(items(SyncNames::base)[1], {});
  }
  EXPECT_EQ(heads_of_run(memory()), 1U);
}

TEST_F(SyncTest, KnowsARepositoryByItsOwnNameWhateverTheDestinationWasCalled) {
  auto first = registry(memory());
  run(items(SyncNames::base), first);
  destination_.set_tags("copies/app", {"1", "2", "3"});
  auto list = items(SyncNames::base);
  for (SyncItem& item : list) item.name = "copies/" + item.name;
  RegistryTarget other(
      {.root = destination_.authority(),
       .upload = {},
       .connect =
           [this](const Reference& reference) { return pool_.get(reference, options_, {}); }},
      memory());
  const Descriptor moved = add("2", "another layer");
  EXPECT_EQ(run(list, other).copied, 1U);
  EXPECT_EQ(requests(destination_, "HEAD /v2/copies/app/manifests/"), 3U) << "of the first run";
  EXPECT_EQ(heads_of_run(memory()), 0U);
}

TEST_F(SyncTest, AsksThePolicyAboutImagesThatAreThereAlready) {
  {
    auto target = layout();
    run(items(), target);
  }
  const auto run_with = [&](const PolicyCheck& policy) {
    auto target = layout();
    return run(
        items(), target,
        {.instances = {}, .system = k_amd64, .failures = SyncFailures::go_on, .policy = &policy});
  };
  const std::size_t gets = requests(source_, "GET /v2/lib/app/manifests/");
  const PolicyCheck anything(Policy::accept_anything(), {});
  EXPECT_EQ(run_with(anything).unchanged, 3U);
  EXPECT_EQ(requests(source_, "GET /v2/lib/app/manifests/"), gets) << "nothing to ask about";
  const SyncReport report = run_with(PolicyCheck({.fallback = {Reject{}}}, {}));
  EXPECT_EQ(report.failed, 3U);
  const auto error = error_of<Refused>([&] { std::rethrow_exception(report.images[0].failure); });
  EXPECT_THAT(error.what(), HasSubstr("is rejected by policy"));
  const PolicyCheck signed_only(Policy::accept_anything(), {}, RequireSigned::always);
  EXPECT_EQ(run_with(signed_only).failed, 3U);
}

TEST_F(SyncTest, KeepsGoingWhenAsked) {
  source_.script("GET /v2/lib/app/blobs/" + Digest::of("layer of 2").text(),
                 test::error_reply(404, "BLOB_UNKNOWN", "gone"), 100);
  {
    auto target = layout();
    EXPECT_THROW(run(items(), target), Error);
  }
  auto target = layout();
  const SyncReport report =
      run(items(), target, {.instances = {}, .system = k_amd64, .failures = SyncFailures::go_on});
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.images[1].outcome, SyncedImage::Outcome::failed);
  EXPECT_TRUE(report.images[1].failure);
  EXPECT_EQ(report.copied + report.unchanged, 2U);
  EXPECT_EQ(OciLayout::open(mirror()).read_index().entries().size(), 2U);
}

TEST_F(SyncTest, CopiesWhatTheLockSaysThoughTagsMoved) {
  SyncLock lock;
  const Descriptor before = {"", source_.find_manifest("lib/app", "1")->digest, 0};
  lock.set(str("docker://", source_.authority(), "/lib/app:1"), before.digest);
  add("1", "moved");
  const auto unasked = [](const Reference&) -> std::vector<std::string> {
    ADD_FAILURE() << "tags were listed";
    return {};
  };
  const auto listing = list_registries(
      {app()}, unasked, {.naming = {.names = SyncNames::scoped}, .lock = &lock}, job_);
  ASSERT_THAT(listing.items, SizeIs(1));
  auto target = layout();
  run(listing.items, target);
  EXPECT_EQ(OciLayout::open(mirror())
                .read_index()
                .get(str(source_.authority(), "/lib/app:1"))
                .descriptor.digest,
            before.digest);
  SyncSource other = app();
  other.keys = {std::string("3")};
  EXPECT_THROW(list_registries({other}, unasked, {.naming = {}, .lock = &lock}, job_), NotFound);
}

TEST_F(SyncTest, CoversNoRepositoryThatCouldNotBeListedOrIsEmpty) {
  SyncSource missing = {.repository = Reference::parse(source_.authority() + "/lib/none")};
  SyncSource filtered = {.repository = Reference::parse(source_.authority() + "/lib/app")};
  filtered.rules.include = {Regex::compile("nothing")};
  const auto list = [this](const Reference& repository) {
    return pool_.get(repository, options_, {}).tags();
  };
  const ListingOptions options{.naming = {}, .failures = SyncFailures::go_on};
  const auto listing = list_registries({missing, filtered}, list, options, job_);
  EXPECT_THAT(listing.repositories, IsEmpty());
  EXPECT_THAT(listing.failures, SizeIs(1));
  EXPECT_THROW(list_registries({missing}, list, {.naming = {}}, job_), NotFound);
  EXPECT_THAT(list_registries({app()}, list, options, job_).repositories, ElementsAre("app"));
}

TEST(NamesToPrune, LeaveWhatIsWantedProtectedOrBelongsToAnother) {
  const Digest kept = Digest::of("kept");
  const Digest gone = Digest::of("gone");
  const std::vector<std::string> existing{"app:1",
                                          "app:2",
                                          "app:keep-me",
                                          "app:sha256-" + kept.hex() + ".sig",
                                          "app:sha256-" + gone.hex() + ".sig",
                                          "app:sha256-" + gone.hex()};
  const SyncSource source{.repository = Reference::parse("q.io/app"), .keys = {std::string("1")}};
  const auto items = plan_source(source, {}, {});
  EXPECT_THAT(
      names_to_prune(existing, items, {kept}, {Regex::compile("keep")}, {}),
      ElementsAre("app:2", "app:sha256-" + gone.hex() + ".sig", "app:sha256-" + gone.hex()));
  std::size_t pruned = 0;
  for (std::size_t index = 0; index < 3; ++index) {
    pruned += names_to_prune(existing, items, {kept}, {}, {index, 3}).size();
  }
  EXPECT_EQ(pruned, 4U) << "each shard prunes its own";
}

TEST_F(SyncTest, TreesOfDirectoriesAreUpdatedInPlaceAndOthersLeftAlone) {
  const std::string root = scratch_.path() + "/tree";
  {
    DirectoryTarget target(root, {});
    EXPECT_EQ(run(items(SyncNames::base), target).copied, 3U);
  }
  EXPECT_TRUE(std::filesystem::exists(root + "/app:1/manifest.json"));
  DirectoryTarget target(root, {});
  EXPECT_EQ(run(items(SyncNames::base), target).unchanged, 3U);
  EXPECT_THAT(target.list("app"), testing::UnorderedElementsAre("app:1", "app:2", "app:3"));
  target.remove({"app:2"}, observer_);
  EXPECT_FALSE(std::filesystem::exists(root + "/app:2"));
  std::filesystem::create_directories(root + "/app:2");
  std::ofstream(root + "/app:2/mine") << "x";
  const auto error = error_of<Refused>([&] { run(items(SyncNames::base), target); });
  EXPECT_THAT(error.what(), HasSubstr("refusing to overwrite destination directory"));
  EXPECT_TRUE(std::filesystem::exists(root + "/app:2/mine"));
}

TEST(SyncLock, SurvivesItsFileAndRefusesOthers) {
  SyncLock lock;
  lock.set("docker://q.io/app:1", Digest::of("1"));
  lock.set("docker://q.io/app:2", Digest::of("2"));
  const SyncLock again = SyncLock::parse(lock.text(), "lock");
  EXPECT_EQ(again.get("docker://q.io/app:2"), Digest::of("2"));
  EXPECT_THAT(again.keys_of(Reference::parse("q.io/app")), SizeIs(2));
  EXPECT_THROW(again.get("docker://q.io/app:3"), NotFound);
  EXPECT_THROW(SyncLock::parse("docker://q.io/app:1", "f"), InvalidData);
  EXPECT_THROW(SyncLock::parse(lock.text() + lock.text(), "f"), InvalidData);
}

TEST(SyncState, RefusesWhatIsNotItsFile) {
  const Scratch scratch;
  EXPECT_THROW(SyncState::load(scratch.write("other", "{}")), InvalidData);
  EXPECT_FALSE(SyncState::load(scratch.path() + "/none").find("a"));
  const std::string path = scratch.write("forgotten", "{}");
  EXPECT_FALSE(SyncState::load_or_forget(path).find("a"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SyncState, ReadsWhatItHadBeforeThereWereTimesAndWhatWasCutShort) {
  const std::string digest = Digest::of("x").text();
  const auto old = SyncState::parse("# lade sync state 1\na " + digest + " - - -\n", "s");
  ASSERT_EQ(old.count("a"), 1U);
  EXPECT_EQ(old.at("a").seen, 0);
  const std::string text = SyncState::print({{"a", {Digest::of("x"), {}, 7}},  //
                                             {"b", {Digest::of("y"), {}, 8}}});
  EXPECT_EQ(SyncState::parse(text, "s").at("b").seen, 8);
  EXPECT_THAT(SyncState::parse(text + "a -\n", "s"), SizeIs(1));
  EXPECT_THAT(SyncState::parse(text + "b " + digest.substr(0, 20), "s"), SizeIs(2));
  EXPECT_THROW(SyncState::parse(text + "b " + digest + "\n", "s"), InvalidData);
}

TEST(SyncState, OfSeveralWritersNoneLosesWhatOthersWrote) {
  const Scratch scratch;
  const std::string path = scratch.path() + "/state";
  const SyncPresent present{Digest::of("x"), {}, 1};
  SyncState base = SyncState::load(path);
  base.set("both", present);
  base.set("gone", present);
  base.save();
  SyncState one = SyncState::load(path);
  SyncState two = SyncState::load(path);
  one.set("one", present);
  two.set("two", present);
  two.forget("gone");
  two.save();
  one.save();
  SyncState all = SyncState::load(path);
  for (const char* name : {"both", "one", "two"}) EXPECT_TRUE(all.find(name)) << name;
  EXPECT_FALSE(all.find("gone")) << "one only knew it from before";
}

}  // namespace
}  // namespace lade::registry
