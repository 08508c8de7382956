#!/usr/bin/env bash
# Installs or upgrades the Helm chart. See --help. helm-deploy.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"

usage() {
    cat <<'HELP'
Usage: scripts/helm-deploy.sh [OPTION]

Installs or upgrades the chart in helm/bizosaas, waits until everything is ready and asks every service for its health.
Without options: bundled Postgres and Redis, generated secrets. An upgrade keeps the values that the release has, unless
others are given; one that fails is rolled back, a first installation stays to be looked at. Safe to repeat.

  --values FILE      values of yours; may be repeated
  --set KEY=VALUE    one value (on Windows in quotes); may be repeated; never for secrets
  --secrets DIR      files named like the Secret's keys: a Secret is made of them and the chart uses it
  --tag TAG          tag of the images (default: the chart's version of the platform)
  --registry NAME    registry of the images, such as registry.example
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --no-rollback      leave a failed release as it is, to look at it
  --context NAME     context of kubectl
  --host HOST        where the NodePorts answer (default: found out)
  --timeout SECONDS  longest wait (default 900)
  --dry-run          print what would be changed
  --yes              ask nothing
  --help
HELP
}

TAG='' REGISTRY='' SECRETS_DIR='' ROLLBACK=true OWN_SECRET=false ARGUMENTS=()
while [ $# -gt 0 ]; do
    USED=2
    case $1 in
    --values | -f) need_value "$@" && ARGUMENTS+=(--values "$2") ;;
    --set)
        need_value "$@"
        # other users of this machine can read command lines
        case ${2%%=*} in
        *[Pp]assword | *[Aa]pi[Kk]ey | *[Pp]latform[Ss]ecret)
            usage_error "--set would show a secret to everybody on this machine: use --secrets DIR"
            ;;
        esac
        [ "${2%%=*}" != secrets.existingSecret ] || OWN_SECRET=true
        ARGUMENTS+=(--set "$2")
        ;;
    --secrets) need_value "$@" && SECRETS_DIR=$2 ;;
    --tag) need_value "$@" && TAG=$2 ;;
    --registry) need_value "$@" && REGISTRY=${2%/} ;;
    --no-rollback) ROLLBACK=false USED=1 ;;
    *) common_option "$@" ;;
    esac
    shift "$USED"
done
[ -z "$SECRETS_DIR" ] || [ -d "$SECRETS_DIR" ] || usage_error "$SECRETS_DIR is not a directory"

# Helm 4 has a new name for undoing a failed upgrade.
undo_flag() {
    local version
    version=$(helm version --template '{{.Version}}') || die "helm version fails"
    case $version in
    v3.*) say --atomic ;;
    v[1-9]*) say --rollback-on-failure ;;
    *) die "this Helm is not known: $version" ;;
    esac
}

# What the release is now, in SCRATCH: its values and its manifest. Sets WORKED to true when a revision of it ever ran.
look_at_release() {
    local history revision
    WORKED=false
    : >"$SCRATCH/values.yaml"
    : >"$SCRATCH/before.yaml"
    history=$(helm_here history "$RELEASE" 2>/dev/null) || return 0
    ! grep -Eq 'deployed|superseded' <<<"$history" || WORKED=true
    # the one whose values Helm takes, also when a later upgrade failed
    revision=$(awk '/deployed/ {revision = $1} END {print revision}' <<<"$history")
    helm_here get values "$RELEASE" ${revision:+--revision "$revision"} --output yaml >"$SCRATCH/values.yaml"
    helm_here get manifest "$RELEASE" ${revision:+--revision "$revision"} >"$SCRATCH/before.yaml"
}

# A Secret that an earlier run made with --secrets is used on, whatever a file of values says, unless the release has another.
use_earlier_secret() {
    if $OWN_SECRET || [ -z "$(kube get secret "$RELEASE-secrets" --ignore-not-found -o name)" ]; then return 0; fi
    [ ! -s "$SCRATCH/before.yaml" ] || grep -q "name: \"\{0,1\}$RELEASE-secrets" "$SCRATCH/before.yaml" || return 0
    ARGUMENTS+=(--set-string "secrets.existingSecret=$RELEASE-secrets")
}

# mode_in FILE COMPONENT: bundled when the manifests have the component as a workload of their own, else external.
mode_in() {
    if grep -q "^ *app.kubernetes.io/component: $2\$" "$1"; then printf bundled; else printf external; fi
}

# What the chart gives with the release's values and the given ones, in SCRATCH/after.yaml. Ends when the release would
# leave its database: everything would be green, and the data out of sight.
look_at_chart() {
    local before after
    helm_here template "$RELEASE" "$REPO/helm/bizosaas" --values "$SCRATCH/values.yaml" "${ARGUMENTS[@]}" \
        >"$SCRATCH/after.yaml" || die "the chart does not accept these values; nothing was changed"
    [ -s "$SCRATCH/before.yaml" ] || return 0
    before=$(mode_in "$SCRATCH/before.yaml" postgres)
    after=$(mode_in "$SCRATCH/after.yaml" postgres)
    [ "$before" = "$after" ] || die "database.mode of $RELEASE is $before, and these values would make it $after, without" \
        "its data; nothing was changed. To move: scripts/backup.sh, k8s-delete.sh, this script, scripts/restore.sh"
}

need helm "https://helm.sh/docs/intro/install/"
need_kubectl
need_cluster
make_scratch
look_at_release
[ -z "$TAG" ] || ARGUMENTS+=(--set-string "image.tag=$TAG")
[ -z "$REGISTRY" ] || ARGUMENTS+=(--set-string "image.registry=$REGISTRY")
if [ -n "$SECRETS_DIR" ]; then
    ARGUMENTS+=(--set-string "secrets.existingSecret=$RELEASE-secrets")
else
    use_earlier_secret
fi
look_at_chart
UNDO=$(undo_flag)
ARGUMENTS+=(--reset-then-reuse-values --wait "--timeout" "${TIMEOUT}s")
# undoing a first installation would remove what tells why it failed
if $ROLLBACK && $WORKED; then ARGUMENTS+=("$UNDO"); fi
if [ -n "$SECRETS_DIR" ]; then
    ensure_namespace
    ensure_secret "$RELEASE-secrets" "$SECRETS_DIR" "$(mode_in "$SCRATCH/after.yaml" postgres)" \
        "$(mode_in "$SCRATCH/after.yaml" redis)"
fi
change helm_here upgrade --install "$RELEASE" "$REPO/helm/bizosaas" --create-namespace "${ARGUMENTS[@]}" || {
    explain_failure
    die "helm did not succeed"
}
health_check "$TIMEOUT"
