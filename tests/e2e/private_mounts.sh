# Sourced first of all by a test that mounts: starts it again in a mount namespace of its own, which nobody else
# sees and which goes with the process. Skips it where the root is no mount point (in most chroots): there the
# kernel cannot be told to keep mounts from the host.
# shellcheck shell=bash
if [[ $EUID -eq 0 && -z ${LADE_E2E_NAMESPACE:-} ]]; then
  if ! unshare --mount --propagation private true 2>/dev/null; then
    echo "SKIPPED: mounts cannot be kept from the host here (no CAP_SYS_ADMIN, or a chroot)"
    exit 77
  fi
  LADE_E2E_NAMESPACE=private exec unshare --mount --propagation private bash "$0"
fi
