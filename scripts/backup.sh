#!/usr/bin/env bash
# Backs the database up. See --help. backup.bat is the same for Windows.
# shellcheck disable=SC2034 # the libraries use what is set here
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"
# shellcheck source=scripts/lib-operator.sh
. "$REPO/scripts/lib-operator.sh"

usage() {
    cat <<'HELP'
Usage: scripts/backup.sh [OPTION]

Writes one file with the database (pg_dump's custom format), the roles without their passwords, and a manifest with
checksums: `bizosaas backup`, run in the cluster or with compose. The services go on meanwhile. Secrets are not in it.

  --out FILE         default backups/bizosaas-<UTC time>.tar; an existing file is never overwritten
  --compose          back up the compose stack instead of the cluster
  --image IMAGE      the operator's image (default: the one beside the services' images)
  --files-image IMAGE  an image with a shell (default pgvector/pgvector:pg17)
  --admin-user NAME  the database's administrator (default postgres)
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --context NAME     context of kubectl
  --timeout SECONDS  longest wait (default 3600)
  --dry-run          print what would be done
  --yes              ask nothing
  --help
HELP
}

OUT='' COMPOSE=false TIMEOUT=3600
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --out) need_value "$@" && OUT=$2 ;;
    --compose) COMPOSE=true USED=1 ;;
    --files-image) need_value "$@" && FILES_IMAGE=$2 ;;
    *) operator_option "$@" ;;
    esac
    shift "$USED"
done
[ -n "$OUT" ] || OUT=$REPO/backups/bizosaas-$(date -u +%Y%m%dT%H%M%SZ).tar
[ ! -e "$OUT" ] || die "$OUT exists"

from_cluster() {
    need_kubectl
    need_cluster
    find_operator_image
    find_pod_settings
    $ADMIN || die "the Secret $SECRET has no postgres-admin-password, which this needs"
    start_pod take "backup, --out, /backup/backup.tar"
    if $DRY_RUN; then return 0; fi
    wait_for_phase Running Succeeded || {
        operator_logs >&2 || true
        die "the backup failed"
    }
    operator_logs
    take_file "$OUT"
}

# The user's own id, so that the file is the user's.
from_compose() {
    need docker "https://docs.docker.com/engine/install/"
    change docker compose --file "$REPO/compose.yaml" run --rm --no-deps --no-TTY --user "$(id -u):$(id -g)" \
        --env TMPDIR=/backup --volume "$SCRATCH:/backup" migrate backup --out /backup/backup.tar
    if $DRY_RUN; then return 0; fi
    mv -- "$SCRATCH/backup.tar" "$OUT"
}

make_scratch
$DRY_RUN || mkdir -p "$(dirname -- "$OUT")"
if $COMPOSE; then from_compose; else from_cluster; fi
$DRY_RUN || say "$OUT" "scripts/restore.sh --in $OUT --verify proves that it can be restored"
