// The container's descriptors 0, 1 and 2. A stream of the caller's that is not a terminal is handed
// over as it is; one that is a terminal is relayed, so that the container cannot type into it.
#pragma once

#include "base/fd.hpp"
#include "runner/rootfs.hpp"
#include "runner/users.hpp"

#include <poll.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace lade::runner {

/// `-i`: whether the container reads the caller's standard input or /dev/null.
enum class Stdin { closed, open };

/// Where one of the container's standard streams leads.
enum class StreamKind { inherited, null, piped, terminal };

/// The container's ends, made before the clone.
struct ContainerStdio {
  std::array<StreamKind, 3> kinds{};
  std::array<Fd, 3> ends;  ///< for StreamKind::piped
};

/// Copies one way between two descriptors as far as both are ready.
class Relay {
 public:
  /// What to do with `target` when the source has ended.
  enum class AtEnd { close_owned, send_eof_character };

  /// Does not own the ends that it is given as numbers only.
  Relay(int source, int target, AtEnd at_end) : source_(source), target_(target), at_end_(at_end) {}

  /// Owns this end from now on; closed when the copying is over.
  void own(Fd fd) { owned_ = std::move(fd); }

  /// Adds what it waits for.
  void add_polls(std::vector<pollfd>& polls) const;
  /// Copies what the poll results allow.
  void step(const std::vector<pollfd>& polls);
  /// Reads and writes until the source is at its end, or empty and `patience_ms` have passed.
  void drain(int patience_ms);
  /// Whether it leads to a stream of the caller's.
  bool is_output() const noexcept { return target_ <= 2; }

 private:
  bool fill();
  bool flush();
  void finish();

  int source_;
  int target_;
  AtEnd at_end_;
  Fd owned_;
  std::vector<std::byte> buffer_;
  bool source_ended_ = false;
  bool done_ = false;
};

/// Parent: decides for every stream and makes the pipes; the relays for the caller's side are added
/// to `relays`.
ContainerStdio prepare_stdio(Stdin mode, std::vector<Relay>& relays);

/// Parent: the caller's own streams, whatever they are; one that is closed is the null device.
ContainerStdio inherit_stdio();

/// Child: connects 0, 1 and 2. `slave` is the terminal, if there is one.
void connect_stdio(const Rootfs& root, const ContainerStdio& stdio, const Fd& slave,
                   const ResolvedUser& user);

}  // namespace lade::runner
