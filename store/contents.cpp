// What the index knows, for those who compare it with the files.
#include "store/container_record.hpp"
#include "store/layer_description.hpp"
#include "store/locked.hpp"
#include "store/state.hpp"

namespace lade::store {

Contents Store::contents() const {
  Contents contents;
  auto database = state_->database.lock();
  const ReadTransaction transaction(*database);
  Statement blobs(*database, "SELECT digest, media_type, size FROM blobs");
  while (blobs.step()) {
    contents.blobs.push_back({blobs.text(1),
                              Digest::parse(blobs.text(0)),
                              static_cast<std::uint64_t>(blobs.number(2)),
                              {},
                              {},
                              {},
                              {}});
  }
  Statement layers(*database,
                   "SELECT key, diff_id, self_contained, root_entry, root_opaque, tar_size"
                   " FROM layers");
  while (layers.step()) {
    contents.layers.push_back({checked_layer_key(layers.text(0)),
                               DiffId{Digest::parse(layers.text(1))}, layers.number(2) != 0,
                               layers.number(3) != 0, layers.number(4) != 0,
                               static_cast<std::uint64_t>(layers.number(5))});
  }
  return contents;
}

std::vector<Digest> Store::blobs_of(const Digest& image) const {
  std::vector<Digest> blobs;
  auto database = state_->database.lock();
  Statement rows(*database, "SELECT blob FROM image_blobs WHERE image = ?");
  rows.bind(image.text());
  while (rows.step()) blobs.push_back(Digest::parse(rows.text(0)));
  return blobs;
}

std::vector<std::string> Store::check_index() const {
  std::vector<std::string> problems;
  auto database = state_->database.lock();
  Statement check(*database, "PRAGMA quick_check");
  while (check.step()) {
    if (check.text(0) != "ok") problems.push_back(check.text(0));
  }
  Statement keys(*database, "PRAGMA foreign_key_check");
  while (keys.step()) {
    problems.push_back("a row of " + keys.text(0) + " refers to one of " + keys.text(2) +
                       " that is not there");
  }
  return problems;
}

std::vector<std::string> Store::running_on(const Digest& image) const {
  std::vector<std::string> running;
  for (const ContainerRecord& container : containers_of(containers(), image)) {
    if (!claim_abandoned(containers(), container.id)) running.push_back(container.id);
  }
  return running;
}

}  // namespace lade::store
