#!/usr/bin/env bash
# The platform in a kind cluster. See --help. setup-kind.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"
# shellcheck source=scripts/lib-cluster.sh
. "$REPO/scripts/lib-cluster.sh"

usage() {
    cat <<'HELP'
Usage: scripts/setup-kind.sh [OPTION]

Creates a kind cluster whose NodePorts 30100-30105 answer on this machine (or reuses it), loads the images into it without
a registry, installs the chart and asks every service for its health. Needs docker, kind, kubectl and helm. Safe to repeat.

  --cluster NAME     default bizosaas
  --tag TAG          tag of the images (default: the chart's version of the platform)
  --values FILE      values for the chart; may be repeated
  --no-load          the cluster pulls the images from a registry
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --timeout SECONDS  longest wait for each step (default 900)
  --dry-run          print what would be changed
  --yes              ask nothing
  --help
HELP
}

CLUSTER=bizosaas
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --cluster) need_value "$@" && CLUSTER=$2 ;;
    --context | --host) usage_error "unknown option $1 (see --help)" ;;
    *) setup_option "$@" ;;
    esac
    shift "$USED"
done
CONTEXT=kind-$CLUSTER NODE=localhost

# One platform of each image: of one that was pulled for several, Docker may have the index and one platform only, and
# what the index names would be missing in the cluster. Docker before 28 has no such option, and no need of it.
load_images() {
    local platform archive=$SCRATCH/images.tar
    platform=$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}')
    if docker save --help 2>/dev/null | grep -q -- --platform; then
        change docker save --platform "$platform" --output "$archive" "${IMAGES[@]}"
    else
        change docker save --output "$archive" "${IMAGES[@]}"
    fi
    change kind load image-archive "$archive" --name "$CLUSTER"
    rm -f -- "$archive"
}

need docker "https://docs.docker.com/engine/install/"
need kind "https://kind.sigs.k8s.io/docs/user/quick-start/"
need helm "https://helm.sh/docs/intro/install/"
need_kubectl
docker info >/dev/null 2>&1 || die "docker does not answer: is its daemon running, and may $(id -un) use it?"
make_scratch
find_images
if kind get clusters 2>/dev/null | grep -qx -- "$CLUSTER"; then
    say "the cluster $CLUSTER exists"
    docker port "$CLUSTER-control-plane" 30101/tcp >/dev/null 2>&1 || die \
        "the cluster $CLUSTER does not pass the NodePorts on, and kind cannot add ports:" \
        "use --cluster with another name, or kind delete cluster --name $CLUSTER"
else
    change kind create cluster --name "$CLUSTER" --config "$REPO/scripts/manifests/kind.yaml" --wait "${TIMEOUT}s"
fi
! $LOAD || load_images
deploy_chart
