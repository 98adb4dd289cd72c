#!/bin/sh
# Installs what `make image-test` needs on a machine without a Docker daemon: podman, and mmdebstrap, which builds the
# stand-in for the base image. For Debian and Ubuntu, as root or with sudo.
set -eu

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

if docker info > /dev/null 2>&1; then
    echo "Docker is available: nothing to install."
    exit
fi
export DEBIAN_FRONTEND=noninteractive
as_root apt-get update -qq
as_root apt-get install -y -qq --no-install-recommends \
    buildah fuse-overlayfs mmdebstrap podman runc uidmap > /dev/null
