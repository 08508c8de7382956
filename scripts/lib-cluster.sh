# shellcheck shell=bash
# What setup-k3s, setup-kind and setup-minikube share: images without a registry, then the chart. Sourced after
# lib-deploy.sh, never run.
# shellcheck disable=SC2034 # the scripts use what is set here

CHART=$REPO/helm/bizosaas
TAG=
LOAD=true
DEPLOY=()

# The options of all three; sets USED like common_option.
setup_option() {
    USED=2
    case $1 in
    --tag) need_value "$@" && TAG=$2 ;;
    --values | -f) need_value "$@" && DEPLOY+=(--values "$2") ;;
    --no-load) LOAD=false USED=1 ;;
    *) common_option "$@" ;;
    esac
}

# Images of the platform at TAG, and those of the bundled Postgres and Redis where they are here already: a cluster
# without a registry needs them too. Sets IMAGES.
find_images() {
    local name missing=()
    [ -n "$TAG" ] || TAG=$(sed -n 's/^appVersion: *"\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' "$CHART/Chart.yaml")
    [ -n "$TAG" ] || die "the chart names no appVersion: give --tag"
    IMAGES=()
    $LOAD || return 0
    need docker "https://docs.docker.com/engine/install/ (or use --no-load and a registry)"
    for name in bizosaas "${SERVICE_NAMES[@]}"; do
        docker image inspect "bizosaas/$name:$TAG" >/dev/null 2>&1 || missing+=("bizosaas/$name:$TAG")
        IMAGES+=("bizosaas/$name:$TAG")
    done
    [ ${#missing[@]} -eq 0 ] || die "these images are not here: ${missing[*]}; build them with scripts/docker-build.sh"
    for name in pgvector/pgvector:pg17 valkey/valkey:8; do
        if docker image inspect "$name" >/dev/null 2>&1; then IMAGES+=("$name"); fi
    done
}

# Installs the chart with the images at TAG, waits, asks for health.
deploy_chart() {
    local options=(--namespace "$NAMESPACE" --release "$RELEASE" --tag "$TAG" --timeout "$TIMEOUT" "${DEPLOY[@]}")
    [ -z "$CONTEXT" ] || options+=(--context "$CONTEXT")
    [ -z "$NODE" ] || options+=(--host "$NODE")
    if $DRY_RUN; then
        change scripts/helm-deploy.sh "${options[@]}"
        return 0
    fi
    "$REPO/scripts/helm-deploy.sh" "${options[@]}"
}
