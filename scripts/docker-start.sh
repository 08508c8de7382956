#!/usr/bin/env bash
# The platform in containers on this machine. See --help. docker-start.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/docker-lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/docker-lib.sh"

usage() {
    cat <<'HELP'
Usage: scripts/docker-start.sh [OPTION]

Makes the secrets (once, in docker/secrets/), starts compose.yaml and waits until everything is healthy. Images that are
missing are built or pulled. Safe to repeat: what runs and did not change is kept.

  --reuse            your Postgres and Redis instead of the bundled ones (POSTGRES_HOST, CACHE_HOST in .env)
  --ollama           also a local language model server
  --tag TAG          the images' tag (default: the version in Cargo.toml)
  --no-build         never build or pull: the images must be there
  --timeout SECONDS  longest wait for health (default 180)
  --dry-run          say what would run
  --help

Settings are in .env (copy docker/env.example). Exit code 0 when all services are healthy.
HELP
}

REUSE=false OLLAMA=false BUILD=true TAG='' TIMEOUT=180 DRY_RUN=false
while [ $# -gt 0 ]; do
    case $1 in
    --reuse) REUSE=true ;;
    --ollama) OLLAMA=true ;;
    --tag) TAG=${2:?--tag needs a value} && shift ;;
    --no-build) BUILD=false ;;
    --timeout) TIMEOUT=${2:?--timeout needs seconds} && shift ;;
    --dry-run) DRY_RUN=true ;;
    --help | -h) usage && exit 0 ;;
    *) die "unknown option $1 (see --help)" ;;
    esac
    shift
done

SECRETS=${BIZOSAAS_SECRETS_DIR:-docker/secrets}

# Nobody else enters the directory; the files in it are readable for the containers' users, who are not on this machine.
make_secret() {
    [ ! -e "$SECRETS/$1" ] || return 0
    note "making $SECRETS/$1"
    ! $DRY_RUN || return 0
    (umask 077 && printf '%s' "$2" >"$SECRETS/$1.new")
    chmod 0444 "$SECRETS/$1.new"
    mv "$SECRETS/$1.new" "$SECRETS/$1"
}

make_secrets() {
    local schema
    $DRY_RUN || { mkdir -p "$SECRETS" && chmod 0700 "$SECRETS"; }
    make_secret platform-secret "$(random_hex 32)"
    # The administrator of a server that is not ours has a password already.
    if $REUSE && [ ! -s "$SECRETS/postgres-admin-password" ] && ! $DRY_RUN; then
        die "put the password of your Postgres' administrator into $SECRETS/postgres-admin-password"
    fi
    make_secret postgres-admin-password "$(random_hex 24)"
    for schema in "${SCHEMAS[@]}"; do
        make_secret "${schema,,}-db-password" "$(random_hex 24)"
        make_secret "${schema,,}-migrator-password" "$(random_hex 24)"
    done
    # Yours to fill in; empty is none.
    make_secret cache-password ''
    make_secret llm-api-key ''
    [ ! -s "$SECRETS/cache-password" ] || export CACHE_PASSWORD_FILE=/run/secrets/bizosaas/cache-password
    [ ! -s "$SECRETS/llm-api-key" ] || export LLM_API_KEY_FILE=/run/secrets/bizosaas/llm-api-key
}

# Without a registry of your own, images that are missing are built here.
build_missing() {
    local name missing=()
    for name in "${IMAGES[@]}"; do
        docker image inspect "bizosaas/$name:$TAG" >/dev/null 2>&1 || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] || run "$REPO/scripts/docker-build.sh" --tag "$TAG" "${missing[@]}"
}

cd "$REPO"
choose_docker
choose_compose
$DRY_RUN || require_engine
make_secrets
TAG=${TAG:-$(setting BIZOSAAS_TAG)}
export BIZOSAAS_TAG=${TAG:=$(workspace_version)}
options=(--file compose.yaml)
! $REUSE || options+=(--file compose.reuse.yaml)
if $OLLAMA; then
    options+=(--profile ollama)
    LLM_BASE_URL=$(setting LLM_BASE_URL)
    export LLM_BASE_URL=${LLM_BASE_URL:-http://ollama:11434}
fi
up=(up --detach --wait --wait-timeout "$TIMEOUT" --no-build)
if ! $BUILD; then
    up+=(--pull never)
elif [ -z "$(setting BIZOSAAS_REGISTRY)" ] && ! $DRY_RUN; then
    build_missing
fi
run "${COMPOSE[@]}" "${options[@]}" "${up[@]}" || {
    "${COMPOSE[@]}" "${options[@]}" ps --all >&2
    die "not everything is healthy; look at: ${COMPOSE[*]} logs"
}
$DRY_RUN || say "" "  running: scripts/health-check.sh    stop: scripts/docker-stop.sh"
! $OLLAMA || note "a model: ${COMPOSE[*]} --profile ollama exec ollama ollama pull llama3.2"
