#!/usr/bin/env bash
# The six container images. See --help. docker-build.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/docker-lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/docker-lib.sh"

usage() {
    cat <<'HELP'
Usage: scripts/docker-build.sh [OPTION] [IMAGE...]

Builds the images bizosaas/identity, ai-orchestrator, chatbot, crm, analytics and bizosaas/bizosaas (the operator's), or only
those named. Safe to repeat: what did not change is not built again.

  --prebuilt       compile on this machine with cargo (cached in target/), then only assemble: seconds an image.
                   Without it everything compiles inside the builder, which needs nothing but docker.
  --assemble       as --prebuilt, with the binaries that are in dist/ already
  --tag TAG        default: the version in Cargo.toml
  --registry NAME  put before the names, such as registry.example
  --push           push what was built
  --dry-run        say what would run
  --help

STATIC_IMAGE, RUST_IMAGE and POSTGRES_IMAGE replace the base images; `docker/local-base/make.sh` makes stand-ins for them
where no registry can be reached. For amd64 and arm64 at once: docker buildx bake -f docker/bake.hcl (see docker/README.md).
Exit code 0 when every image was built.
HELP
}

SOURCE=build COMPILE=false TAG='' REGISTRY='' PUSH=false DRY_RUN=false NAMES=()
while [ $# -gt 0 ]; do
    case $1 in
    --prebuilt) SOURCE=prebuilt COMPILE=true ;;
    --assemble) SOURCE=prebuilt ;;
    --tag) TAG=${2:?--tag needs a value} && shift ;;
    --registry) REGISTRY=${2:?--registry needs a value} && REGISTRY=${REGISTRY%/}/ && shift ;;
    --push) PUSH=true ;;
    --dry-run) DRY_RUN=true ;;
    --help | -h) usage && exit 0 ;;
    -*) die "unknown option $1 (see --help)" ;;
    *)
        [[ " ${IMAGES[*]} " == *" $1 "* ]] || die "no image $1; there are: ${IMAGES[*]}"
        NAMES+=("$1")
        ;;
    esac
    shift
done
[ ${#NAMES[@]} -gt 0 ] || NAMES=("${IMAGES[@]}")
[ -n "$TAG" ] || TAG=$(workspace_version)

# The commit, marked when what is built is not exactly it.
revision() {
    local commit
    commit=$(git -C "$REPO" rev-parse HEAD 2>/dev/null) || { printf unknown && return; }
    git -C "$REPO" diff --quiet HEAD 2>/dev/null || commit+=-modified
    printf '%s' "$commit"
}

build_image() {
    run docker build --file docker/Dockerfile --target "$1" --tag "${REGISTRY}bizosaas/$1:$TAG" \
        --build-arg "SOURCE=$SOURCE" --build-arg "STATIC_IMAGE=$STATIC_IMAGE" --build-arg "RUST_IMAGE=$RUST_IMAGE" \
        --build-arg "POSTGRES_IMAGE=$POSTGRES_IMAGE" --build-arg "VERSION=$TAG" --build-arg "REVISION=$REVISION" .
}

cd "$REPO"
choose_docker
$DRY_RUN || require_engine
if $COMPILE; then
    have cargo || die "cargo is missing: install Rust (rustup.rs), or leave --prebuilt out to compile inside docker"
    TARGETARCH=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
    export TARGETARCH
    run docker/compile.sh "dist/$TARGETARCH"
fi
REVISION=$(revision)
for name in "${NAMES[@]}"; do build_image "$name"; done
! $PUSH || for name in "${NAMES[@]}"; do run docker push "${REGISTRY}bizosaas/$name:$TAG"; done
$DRY_RUN || docker image ls --filter "reference=${REGISTRY}bizosaas/*:$TAG" --format '  {{.Repository}}:{{.Tag}}  {{.Size}}'
