// The destinations of one copy, each of which may fail without the others.
#pragma once

#include "base/concurrency.hpp"
#include "base/error.hpp"
#include "registry/copy.hpp"

#include <cstddef>
#include <exception>
#include <span>
#include <vector>

namespace lade::registry {

/// Thrown, past everything, when the copy is over for all destinations; why is in their outcomes.
class NoTargetLeft : public std::exception {
 public:
  const char* what() const noexcept override { return "no destination is left"; }
};

/// Keeps what came of each destination. THREADS: all functions may be called from several at once.
class CopyTargets {
 public:
  CopyTargets(std::span<const CopyTarget> targets, OnFailure on_failure)
      : targets_(targets), on_failure_(on_failure), outcomes_(std::in_place, targets.size()) {}

  const CopyTarget& operator[](std::size_t index) const { return targets_[index]; }

  /// Those that have not failed.
  std::vector<std::size_t> alive() {
    auto outcomes = outcomes_.lock();
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
      if (!(*outcomes)[i].failure) indexes.push_back(i);
    }
    return indexes;
  }

  /// Puts a destination out of the running. Throws NoTargetLeft if that was the end.
  void fail(std::size_t index, std::exception_ptr failure) {
    {
      auto outcome = outcomes_.lock();
      auto& kept = (*outcome)[index].failure;
      if (!kept) kept = std::move(failure);
    }
    if (on_failure_ == OnFailure::stop || alive().empty()) throw NoTargetLeft();
  }

  /// Does something at a destination, whose own an Error of it is. Whether it went well.
  template <class Work>
  bool attempt(std::size_t index, Work&& work) {
    try {
      work();
      return true;
    } catch (const Error&) {
      fail(index, std::current_exception());
      return false;
    }
  }

  /// attempt() at all that are left.
  template <class Work>
  void for_each_alive(Work&& work) {
    for (const std::size_t index : alive()) {
      attempt(index, [&] { work(index); });
    }
  }

  /// Makes what a destination has got visible.
  void commit(std::size_t index) {
    targets_[index].sink.commit();
    (*outcomes_.lock())[index].committed = true;
  }

  /// Changes what is said of one.
  template <class Change>
  void update(std::size_t index, Change&& change) {
    change((*outcomes_.lock())[index].result);
  }

  std::vector<CopyOutcome> take() { return std::move(*outcomes_.lock()); }

 private:
  std::span<const CopyTarget> targets_;
  OnFailure on_failure_;
  Sync<std::vector<CopyOutcome>> outcomes_;
};

}  // namespace lade::registry
