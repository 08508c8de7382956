#!/usr/bin/env bash
# Goes back to an earlier release of the platform. See --help. rollback.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"
# shellcheck source=scripts/lib-operator.sh
. "$REPO/scripts/lib-operator.sh"

usage() {
    cat <<'HELP'
Usage: scripts/rollback.sh [OPTION]

Goes back to an earlier release. Migrations are not undone: services work with a database that is newer than they are.
So the earlier release is first asked, in the cluster, what it thinks of the database (bizosaas migrate --status); it is
refused when a migration that it knows was changed or is missing there, because its migration Job would fail.
Data and Secrets stay as they are.

  --to REVISION      Helm's revision to go back to (default: the last one that worked); see helm history
  --tag TAG          without Helm: tag of the images to go back to, deployed with scripts/k8s-deploy.sh
  --overlay NAME     without Helm: the overlay (default dev)
  --skip-check       do not compare the schemas
  --image IMAGE      the operator's image of the earlier release (default: found out)
  --admin-user NAME  the database's administrator (default postgres)
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --context NAME     context of kubectl
  --host HOST        where the NodePorts answer (default: found out)
  --timeout SECONDS  longest wait for each step (default 900)
  --dry-run          print what would be changed; the schemas are not compared
  --yes              do not ask
  --help
HELP
}

TO='' TAG='' OVERLAY=dev CHECK=true
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --to) need_value "$@" && TO=$2 ;;
    --tag) need_value "$@" && TAG=$2 ;;
    --overlay) need_value "$@" && OVERLAY=$2 ;;
    --skip-check) CHECK=false USED=1 ;;
    *) operator_option "$@" ;;
    esac
    shift "$USED"
done
[ -z "$TO" ] || [ -z "$TAG" ] || usage_error "--to is for Helm, --tag for a release without Helm"
case $TO in *[!0-9]*) usage_error "--to needs the number of a revision" ;; esac

# The revision to go back to, from Helm's history: the one before; after an upgrade that failed or was interrupted, the one
# that is still called deployed.
earlier_revision() {
    awk '{
        for (i = 2; i <= NF; i++)
            if ($i ~ /^(deployed|superseded|failed|uninstalled|pending-(install|upgrade|rollback))$/) {
                status = $i
                last[status] = $1
                break
            }
    }
    END { print status ~ /^(failed|pending-)/ && "deployed" in last ? last["deployed"] : last["superseded"] }'
}

# Sets TO and the operator's image of that revision.
find_revision() {
    [ -z "$TAG" ] || die "$RELEASE was installed with Helm: use --to REVISION"
    [ -n "$TO" ] || TO=$(helm_here history "$RELEASE" | earlier_revision)
    [ -n "$TO" ] || die "there is no earlier revision: helm history $RELEASE --namespace $NAMESPACE"
    TARGET="revision $TO"
    [ -z "$OPERATOR_IMAGE" ] || return 0
    OPERATOR_IMAGE=$(helm_here get manifest "$RELEASE" --revision "$TO" |
        sed -n 's/^ *image: *"\{0,1\}\([^"]*\/bizosaas[:@][^"]*\)"\{0,1\} *$/\1/p' | head -n 1)
    [ -n "$OPERATOR_IMAGE" ] || die "revision $TO names no image of the operator: give it with --image"
}

find_tag() {
    [ -z "$TO" ] || die "$RELEASE was not installed with Helm: use --tag TAG"
    [ -n "$TAG" ] || die "$RELEASE was not installed with Helm: name the images' earlier tag with --tag"
    TARGET="tag $TAG"
    [ -z "$OPERATOR_IMAGE" ] || return 0
    find_operator_image
    OPERATOR_IMAGE=${OPERATOR_IMAGE%:*}:$TAG
}

# What the earlier release says of the database; ends when it could not work with it.
compare_schemas() {
    local answer
    if $DRY_RUN || ! $CHECK; then
        say "the schemas are not compared"
        return 0
    fi
    say "asking $OPERATOR_IMAGE about the database"
    find_pod_settings
    start_pod plain "migrate, --status, --json"
    wait_for_phase Succeeded || true # it fails when something is pending: its answer decides
    answer=$(operator_logs)
    grep -q '"state"' <<<"$answer" || {
        printf '%s\n' "$answer" >&2
        die "the schemas cannot be compared; nothing was changed (--skip-check goes on without)"
    }
    if grep -q '"state": *"wrong"' <<<"$answer"; then
        printf '%s\n' "$answer" >&2
        die "$TARGET cannot work with this database: migrations that it knows were changed or are missing" \
            "(see above); nothing was changed. Restore a backup instead: docs/upgrade-rollback.md"
    fi
    if grep -q '"state": *"newer"' <<<"$answer"; then say "the database is newer than $TARGET, which is fine"; fi
    if grep -q '"state": *"pending"' <<<"$answer"; then say "$TARGET will migrate the database first"; fi
}

need_kubectl
need_cluster
make_scratch
HELM=false
if is_helm_release; then HELM=true; fi
if $HELM; then find_revision; else find_tag; fi
compare_schemas
confirm "Roll $RELEASE in $NAMESPACE back to $TARGET?"
if ! $HELM; then
    OPTIONS=(--overlay "$OVERLAY" --tag "$TAG" --namespace "$NAMESPACE" --timeout "$TIMEOUT")
    [ -z "$CONTEXT" ] || OPTIONS+=(--context "$CONTEXT")
    [ -z "$NODE" ] || OPTIONS+=(--host "$NODE")
    ! $DRY_RUN || OPTIONS+=(--dry-run)
    "$REPO/scripts/k8s-deploy.sh" "${OPTIONS[@]}"
    exit
fi
change helm_here rollback "$RELEASE" "$TO" --wait "--timeout" "${TIMEOUT}s" || {
    explain_failure
    die "the rollback did not succeed"
}
health_check "$TIMEOUT"
