// What the headers of a tar's member say that libarchive does not pass on. Inside snapshot/.
#pragma once

#include <string_view>

namespace lade::snapshot {

/// Of the pax records that come before a member.
struct PaxNotes {
  bool has_nul_in_name = false;  ///< a path or a link's target goes on after a NUL
  bool is_before_epoch = false;  ///< the time of the last change has a minus
};

/// Looks at all headers of one member as they are in the tar, which a reader has accepted.
PaxNotes look_at_pax(std::string_view headers);

}  // namespace lade::snapshot
