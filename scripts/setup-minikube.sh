#!/usr/bin/env bash
# The platform in minikube. See --help. setup-minikube.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"
# shellcheck source=scripts/lib-cluster.sh
. "$REPO/scripts/lib-cluster.sh"

usage() {
    cat <<'HELP'
Usage: scripts/setup-minikube.sh [OPTION]

Starts a minikube cluster (or reuses it), loads the images into it without a registry, installs the chart and asks every
service for its health. Needs minikube, docker, kubectl and helm. Safe to repeat.

  --cluster NAME     minikube's profile; default bizosaas
  --driver NAME      minikube's driver; default docker
  --tag TAG          tag of the images (default: the chart's version of the platform)
  --values FILE      values for the chart; may be repeated
  --no-load          the cluster pulls the images from a registry
  --host HOST        where the NodePorts answer (default: found out)
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --timeout SECONDS  longest wait for each step (default 900)
  --dry-run          print what would be changed
  --yes              ask nothing
  --help
HELP
}

CLUSTER=bizosaas DRIVER=docker
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --cluster) need_value "$@" && CLUSTER=$2 ;;
    --driver) need_value "$@" && DRIVER=$2 ;;
    --context) usage_error "unknown option $1 (see --help)" ;;
    *) setup_option "$@" ;;
    esac
    shift "$USED"
done
CONTEXT=$CLUSTER

# With docker the NodePorts are published on this machine, because elsewhere than on Linux the node cannot be reached.
start_cluster() {
    local port options=(--profile "$CLUSTER" --driver "$DRIVER")
    if minikube status --profile "$CLUSTER" >/dev/null 2>&1; then
        say "the cluster $CLUSTER runs"
        return 0
    fi
    if [ "$DRIVER" = docker ]; then
        for port in 30101 30102 30103 30104 30105; do options+=("--ports=127.0.0.1:$port:$port"); done
    fi
    change minikube start "${options[@]}"
}

find_node() {
    [ -z "$NODE" ] || return 0
    if $DRY_RUN || [ "$(uname -s)" != Linux ]; then NODE=localhost; else NODE=$(minikube ip --profile "$CLUSTER"); fi
}

need minikube "https://minikube.sigs.k8s.io/docs/start/"
need helm "https://helm.sh/docs/intro/install/"
need_kubectl
find_images
start_cluster
for image in "${IMAGES[@]}"; do change minikube image load "$image" --profile "$CLUSTER"; done
find_node
deploy_chart
