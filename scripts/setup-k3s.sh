#!/usr/bin/env bash
# The platform on K3s, on this machine. See --help. setup-k3s.bat runs this in WSL.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"
# shellcheck source=scripts/lib-cluster.sh
. "$REPO/scripts/lib-cluster.sh"

usage() {
    cat <<'HELP'
Usage: scripts/setup-k3s.sh [OPTION]

Uses the K3s of this machine (or installs it, after asking), imports the images without a registry, installs the chart and
asks every service for its health. Needs Linux, root (or sudo), docker for the images, and helm. Safe to repeat.

  --installer FILE   K3s' install script, instead of downloading it; it reads INSTALL_K3S_* from the environment
  --tag TAG          tag of the images (default: the chart's version of the platform)
  --values FILE      values for the chart; may be repeated
  --no-load          the cluster pulls the images from a registry
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --timeout SECONDS  longest wait for each step (default 900)
  --dry-run          print what would be changed
  --yes              do not ask before K3s is installed
  --help
HELP
}

INSTALLER=
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --installer) need_value "$@" && INSTALLER=$2 ;;
    --context | --host) usage_error "unknown option $1 (see --help)" ;;
    *) setup_option "$@" ;;
    esac
    shift "$USED"
done
[ -z "$INSTALLER" ] || [ -r "$INSTALLER" ] || usage_error "$INSTALLER cannot be read"
NODE=localhost

AS_ROOT=()
if ! is_root; then AS_ROOT=(sudo); fi

install_k3s() {
    confirm "K3s is not installed. Install it on this machine as a service?"
    if [ -z "$INSTALLER" ]; then
        need curl "install curl, or give --installer FILE"
        INSTALLER=$SCRATCH/install-k3s.sh
        change curl --silent --show-error --fail --location --output "$INSTALLER" https://get.k3s.io
    fi
    change "${AS_ROOT[@]}" sh "$INSTALLER"
}

node_ready() {
    "${AS_ROOT[@]}" k3s kubectl wait --for=condition=Ready nodes --all --timeout=5s >/dev/null 2>&1 || {
        sleep 1
        return 1
    }
}

import_images() {
    local image
    if $DRY_RUN; then
        say "+ docker save ${IMAGES[*]} | k3s ctr images import -"
    else
        docker save "${IMAGES[@]}" | "${AS_ROOT[@]}" k3s ctr images import -
    fi
    # unpinned, the kubelet removes them from a disk that fills up, and no registry has them
    for image in "${IMAGES[@]}"; do
        change "${AS_ROOT[@]}" k3s ctr images label "docker.io/$image" io.cri-containerd.pinned=pinned
    done
}

[ "$(uname -s)" = Linux ] || die "K3s runs on Linux only; scripts/setup-kind.sh and setup-minikube.sh run elsewhere"
is_root || have sudo || die "K3s needs root: run this as root"
need helm "https://helm.sh/docs/intro/install/"
make_scratch
find_images
have k3s || install_k3s
if ! $DRY_RUN; then
    wait_until "$TIMEOUT" node_ready || die "K3s does not become ready: journalctl --unit k3s says why"
fi
! $LOAD || import_images
# This machine's cluster, whatever another configuration names.
export KUBECONFIG=/etc/rancher/k3s/k3s.yaml
if ! is_root && ! $DRY_RUN; then
    # readable by root only: a copy for whoever runs this
    "${AS_ROOT[@]}" cat "$KUBECONFIG" >"$SCRATCH/kubeconfig"
    KUBECONFIG=$SCRATCH/kubeconfig
fi
deploy_chart
