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
A failed upgrade is rolled back. Without options: bundled Postgres and Redis, generated secrets. Safe to repeat.

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
  --timeout SECONDS  longest wait (default 300)
  --dry-run          print what would be changed
  --yes              ask nothing
  --help
HELP
}

TAG='' REGISTRY='' SECRETS_DIR='' ROLLBACK=true ARGUMENTS=()
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

need helm "https://helm.sh/docs/intro/install/"
need_kubectl
need_cluster
make_scratch
ARGUMENTS+=(--wait "--timeout" "${TIMEOUT}s")
if $ROLLBACK; then
    FLAG=$(undo_flag)
    ARGUMENTS+=("$FLAG")
fi
[ -z "$TAG" ] || ARGUMENTS+=(--set-string "image.tag=$TAG")
[ -z "$REGISTRY" ] || ARGUMENTS+=(--set-string "image.registry=$REGISTRY")
if [ -n "$SECRETS_DIR" ]; then
    ensure_namespace
    ensure_secret "$RELEASE-secrets" "$SECRETS_DIR" bundled
    ARGUMENTS+=(--set-string "secrets.existingSecret=$RELEASE-secrets")
fi
change helm_here upgrade --install "$RELEASE" "$REPO/helm/bizosaas" --create-namespace "${ARGUMENTS[@]}" || {
    explain_failure
    die "helm did not succeed"
}
health_check "$TIMEOUT"
