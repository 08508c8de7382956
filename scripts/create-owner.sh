#!/usr/bin/env bash
# Makes a tenant and its owner. See --help. create-owner.bat is the same for Windows.
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
Usage: scripts/create-owner.sh --email EMAIL [OPTION]

Makes a tenant and its owner, the first account where nobody may register: `bizosaas create-owner`, run in the cluster. The
password is asked for, or read from standard input when that is no terminal; it is never on a command line.

  --email EMAIL      the owner's address, which is the login name
  --name NAME        what the owner wants to be called
  --tenant-name NAME the tenant's name (default: the owner's name or address)
  --password-file FILE  a file with the password
  --image IMAGE      the operator's image (default: the one beside the services' images)
  --files-image IMAGE  an image with a shell (default pgvector/pgvector:pg17)
  --admin-user NAME  the database's administrator (default postgres)
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --context NAME     context of kubectl
  --timeout SECONDS  longest wait (default 900)
  --dry-run          print what would be done
  --yes              accepted; nothing is asked but the password
  --help
HELP
}

EMAIL='' PERSON='' TENANT='' PASSWORD_FILE=''
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --email) need_value "$@" && EMAIL=$2 ;;
    --name) need_value "$@" && PERSON=$2 ;;
    --tenant-name) need_value "$@" && TENANT=$2 ;;
    --password-file) need_value "$@" && PASSWORD_FILE=$2 ;;
    --files-image) need_value "$@" && FILES_IMAGE=$2 ;;
    *) operator_option "$@" ;;
    esac
    shift "$USED"
done
[ -n "$EMAIL" ] || usage_error "--email EMAIL is missing (see --help)"
for text in "$EMAIL" "$PERSON" "$TENANT"; do
    is_one_line "$text" || usage_error "the address and the names are one line, without control characters"
done
[ -z "$PASSWORD_FILE" ] || [ -r "$PASSWORD_FILE" ] || die "$PASSWORD_FILE cannot be read"

# ask WHAT: a line from the terminal, which does not show it, in ANSWER.
ask() {
    IFS= read -r -s -p "$1: " ANSWER || die "no password was given"
    printf '\n' >&2
}

# The password as a file of this run; before anything else can read standard input.
collect_password() {
    local first
    if [ -n "$PASSWORD_FILE" ]; then
        cat -- "$PASSWORD_FILE" >"$SCRATCH/password"
    elif [ -t 0 ]; then
        ask "Password of $EMAIL"
        first=$ANSWER
        ask "The same again"
        [ "$first" = "$ANSWER" ] || die "the two passwords differ; nothing was changed"
        printf '%s' "$first" >"$SCRATCH/password"
    else
        cat >"$SCRATCH/password"
    fi
    [ -s "$SCRATCH/password" ] || die "the password is empty; nothing was changed"
}

make_scratch
$DRY_RUN || collect_password
need_kubectl
need_cluster
find_operator_image
find_pod_settings

# with =, so that a name may begin with a hyphen
ARGUMENTS="create-owner, $(quoted "--email=$EMAIL")"
[ -z "$PERSON" ] || ARGUMENTS+=", $(quoted "--name=$PERSON")"
[ -z "$TENANT" ] || ARGUMENTS+=", $(quoted "--tenant-name=$TENANT")"
start_pod give "$ARGUMENTS, --password-file, /backup/password"
if $DRY_RUN; then exit 0; fi
give_file "$SCRATCH/password" password
wait_for_phase Succeeded || {
    operator_logs >&2 || true
    die "no owner was made"
}
operator_logs
