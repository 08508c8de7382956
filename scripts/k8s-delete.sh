#!/usr/bin/env bash
# Removes the release. See --help. k8s-delete.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"

usage() {
    cat <<'HELP'
Usage: scripts/k8s-delete.sh [OPTION]

Removes the release, whether Helm or Kustomize installed it. Data (PersistentVolumeClaims) and Secrets stay, so that
deploying again goes on where it ended. The namespace stays. Safe to repeat.

  --purge            the data and the Secrets as well: they cannot be brought back
  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --context NAME     context of kubectl
  --timeout SECONDS  longest wait (default 900)
  --dry-run          print what would be changed
  --yes              do not ask
  --help
HELP
}

PURGE=false
while [ $# -gt 0 ]; do
    USED=1
    case $1 in
    --purge) PURGE=true ;;
    *) common_option "$@" ;;
    esac
    shift "$USED"
done

# Everything that the chart can make, except what --purge is for.
KINDS=deployments,statefulsets,daemonsets,replicasets,pods,jobs,cronjobs,services,configmaps,serviceaccounts,roles,rolebindings
KINDS+=,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,ingresses,resourcequotas,limitranges
OURS=app.kubernetes.io/instance=$RELEASE

need_kubectl
need_cluster
if [ -z "$(kube get namespace "$NAMESPACE" --ignore-not-found -o name)" ]; then
    say "there is no namespace $NAMESPACE: nothing to delete"
    exit 0
fi
if $PURGE; then
    confirm "Delete the release $RELEASE in $NAMESPACE with ALL ITS DATA and Secrets?"
else
    confirm "Delete the release $RELEASE in $NAMESPACE? Data and Secrets stay."
fi
if is_helm_release; then
    change helm_here uninstall "$RELEASE" --wait "--timeout" "${TIMEOUT}s"
fi
change kube delete "$KINDS" --selector "$OURS" --ignore-not-found "--timeout=${TIMEOUT}s"
if $PURGE; then
    change kube delete persistentvolumeclaims --selector "$OURS" --ignore-not-found "--timeout=${TIMEOUT}s"
    change kube delete secrets "$RELEASE" "$RELEASE-secrets" --ignore-not-found
    say "deleted, with data and Secrets"
else
    say "deleted; data and Secrets stay (--purge removes them):"
    kube get persistentvolumeclaims,secrets --selector "$OURS" --ignore-not-found -o name
fi
