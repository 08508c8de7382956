#!/usr/bin/env bash
# Stops what docker-start.sh started. See --help. docker-stop.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/docker-lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/docker-lib.sh"

usage() {
    cat <<'HELP'
Usage: scripts/docker-stop.sh [OPTION]

Stops the containers and removes them; the data stays in its volumes, the secrets in docker/secrets/. Safe to repeat.

  --purge     also delete the volumes (all data of the bundled Postgres) and the secrets
  --yes       with --purge: do not ask
  --dry-run   say what would run
  --help
HELP
}

PURGE=false YES=false DRY_RUN=false
while [ $# -gt 0 ]; do
    case $1 in
    --purge) PURGE=true ;;
    --yes | -y) YES=true ;;
    --dry-run) DRY_RUN=true ;;
    --help | -h) usage && exit 0 ;;
    *) die "unknown option $1 (see --help)" ;;
    esac
    shift
done

if $PURGE && ! $YES && ! $DRY_RUN; then
    [ -t 0 ] || die "--purge deletes all data; confirm with --yes"
    read -r -p "Delete all data and secrets of the platform in containers? [y/N] " answer
    [ "$answer" = y ] || [ "$answer" = Y ] || die "nothing deleted"
fi

cd "$REPO"
choose_docker
choose_compose
$DRY_RUN || require_engine
down=(--file compose.yaml --profile '*' down --remove-orphans)
! $PURGE || down+=(--volumes)
run "${COMPOSE[@]}" "${down[@]}"
! $PURGE || run rm -rf "${BIZOSAAS_SECRETS_DIR:-docker/secrets}"
