#!/usr/bin/env bash
# Deploys a Kustomize overlay. See --help. k8s-deploy.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"

usage() {
    cat <<'HELP'
Usage: scripts/k8s-deploy.sh [OPTION]

Deploys with Kustomize: creates the namespace and the Secret when they are missing, applies an overlay of k8s/overlays,
waits for the migration and the rollouts and asks every service for its health. Safe to repeat.

  --overlay NAME     dev (default), prod, light, reuse-infrastructure
  --namespace NAME   default: the overlay's
  --tag TAG          tag of the images (default: the overlay's)
  --registry NAME    registry of the images, such as registry.example
  --secrets DIR      files named like the Secret's keys; what is missing there is generated
  --context NAME     context of kubectl
  --host HOST        where the NodePorts answer (default: found out)
  --timeout SECONDS  longest wait for each step (default 900)
  --dry-run          print what would be changed
  --yes              ask nothing
  --help
HELP
}

OVERLAY=dev TAG='' REGISTRY='' SECRETS_DIR='' NAMESPACE=
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --overlay) need_value "$@" && OVERLAY=$2 ;;
    --tag) need_value "$@" && TAG=$2 ;;
    --registry) need_value "$@" && REGISTRY=${2%/} ;;
    --secrets) need_value "$@" && SECRETS_DIR=$2 ;;
    --release) usage_error "the manifests have fixed names: install a second one with scripts/helm-deploy.sh" ;;
    *) common_option "$@" ;;
    esac
    shift "$USED"
done
[ -z "$SECRETS_DIR" ] || [ -d "$SECRETS_DIR" ] || usage_error "$SECRETS_DIR is not a directory"
FOLDER=$REPO/k8s/overlays/$OVERLAY
[ -f "$FOLDER/kustomization.yaml" ] || usage_error "there is no overlay $OVERLAY in k8s/overlays"
[ -n "$NAMESPACE" ] || NAMESPACE=$(sed -n 's/^namespace: *//p' "$FOLDER/kustomization.yaml")
[ -n "$NAMESPACE" ] || usage_error "the overlay names no namespace: give one with --namespace"

# A kustomization around the overlay, so that no file of the repository is edited for a namespace or a tag.
write_kustomization() {
    local name
    mkdir -p "$REPO/.dev/k8s-deploy"
    {
        say "namespace: $NAMESPACE" "resources: [../../k8s/overlays/$OVERLAY]"
        [ -z "$TAG$REGISTRY" ] || say "images:"
        for name in bizosaas "${SERVICE_NAMES[@]}"; do
            [ -z "$TAG$REGISTRY" ] || say "  - name: bizosaas/$name"
            [ -z "$REGISTRY" ] || say "    newName: $REGISTRY/bizosaas/$name"
            [ -z "$TAG" ] || say "    newTag: '$TAG'"
        done
    } >"$REPO/.dev/k8s-deploy/kustomization.yaml"
}

need_kubectl
need_cluster
make_scratch
MODE=bundled
! grep -q existing-infrastructure "$FOLDER/kustomization.yaml" || MODE=external
ensure_namespace
ensure_secret "$RELEASE" "$SECRETS_DIR" "$MODE"
write_kustomization
# a Job cannot be changed; migrating again changes nothing
change kube delete jobs --selector "$MIGRATE_JOBS,app.kubernetes.io/instance=$RELEASE" --ignore-not-found
change kube apply -k "$REPO/.dev/k8s-deploy"
wait_for_migration
wait_for_rollout
health_check "$TIMEOUT"
