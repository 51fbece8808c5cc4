// Overlays on kernels that take all layers in one page of mount options. Behind base/mount.hpp.
#pragma once

#include "base/mount.hpp"

namespace lade {

/// make_overlay_mount() by mount(2).
Fd mount_overlay_by_page(const OverlayConfig& config);

}  // namespace lade
