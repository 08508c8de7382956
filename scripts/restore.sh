#!/usr/bin/env bash
# Restores a backup, or proves that it can be restored. See --help. restore.bat is the same for Windows.
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
Usage: scripts/restore.sh --in FILE (--verify | --into DATABASE) [OPTION]

Restores a file of scripts/backup.sh: `bizosaas restore`, run in the cluster or with compose. The database in use is never
touched: a restore goes into a database that is empty, and docs/backup-restore.md says how the services move to it.

  --in FILE          the backup
  --verify           restore into a scratch database, check roles, row-level security and counts, drop it
  --into DATABASE    restore into this empty database
  --compose          the compose stack instead of the cluster
  --image IMAGE      the operator's image (default: the one beside the services' images)
  --files-image IMAGE  an image with a shell (default pgvector/pgvector:pg17)
  --admin-user NAME  the database's administrator (default postgres)
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --context NAME     context of kubectl
  --timeout SECONDS  longest wait (default 3600)
  --dry-run          print what would be done
  --yes              do not ask before a restore with --into
  --help
HELP
}

IN='' INTO='' VERIFY=false COMPOSE=false TIMEOUT=3600
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --in) need_value "$@" && IN=$2 ;;
    --into) need_value "$@" && INTO=$2 ;;
    --verify) VERIFY=true USED=1 ;;
    --compose) COMPOSE=true USED=1 ;;
    --files-image) need_value "$@" && FILES_IMAGE=$2 ;;
    *) operator_option "$@" ;;
    esac
    shift "$USED"
done
[ -n "$IN" ] || usage_error "--in FILE is missing (see --help)"
[ -r "$IN" ] || die "$IN cannot be read"
case $VERIFY$INTO in
true | false?*) ;;
*) usage_error "give either --verify or --into DATABASE" ;;
esac
case $INTO in
*[!a-z0-9_]*) usage_error "a database's name has small letters, digits and _" ;;
esac

COMMAND=(restore --in /backup/backup.tar)
if $VERIFY; then COMMAND+=(--verify); else COMMAND+=(--into "$INTO"); fi

into_cluster() {
    local arguments
    need_kubectl
    need_cluster
    find_operator_image
    find_pod_settings
    $ADMIN || die "the Secret $SECRET has no postgres-admin-password, which this needs"
    printf -v arguments '%s, ' "${COMMAND[@]}"
    start_pod give "${arguments%, }"
    if $DRY_RUN; then return 0; fi
    give_file "$IN"
    wait_for_phase Succeeded || {
        operator_logs >&2 || true
        die "the restore failed"
    }
    operator_logs
}

into_compose() {
    need docker "https://docs.docker.com/engine/install/"
    cp -- "$IN" "$SCRATCH/backup.tar"
    change docker compose --file "$REPO/compose.yaml" run --rm --no-deps --no-TTY --user "$(id -u):$(id -g)" \
        --env TMPDIR=/backup --volume "$SCRATCH:/backup" migrate "${COMMAND[@]}"
}

$VERIFY || confirm "Restore $IN into the database $INTO?"
make_scratch
if $COMPOSE; then into_compose; else into_cluster; fi
