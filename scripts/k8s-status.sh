#!/usr/bin/env bash
# What runs in the cluster. See --help. k8s-status.bat is the same for Windows.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/lib-deploy.sh
. "$REPO/scripts/lib-deploy.sh"

usage() {
    cat <<'HELP'
Usage: scripts/k8s-status.sh [OPTION]

Shows the release: workloads, pods, volumes, the last warnings, health. Changes nothing. Exit code 0 when every service is
rolled out and healthy.

  --namespace NAME   default bizosaas-dev
  --release NAME     default bizosaas
  --context NAME     context of kubectl
  --host HOST        where the NodePorts answer (default: found out)
  --timeout SECONDS  longest wait for the services' health (default 0)
  --dry-run          the same: nothing is changed in any case
  --yes              ask nothing
  --help
HELP
}

TIMEOUT=0
while [ $# -gt 0 ]; do
    common_option "$@"
    shift "$USED"
done
DRY_RUN=false

need_kubectl
need_cluster
[ -n "$(kube get namespace "$NAMESPACE" --ignore-not-found -o name)" ] || die "there is no namespace $NAMESPACE"
! is_helm_release || helm_here list --filter "^$RELEASE\$"
OURS=app.kubernetes.io/instance=$RELEASE
kube get deployments,statefulsets,jobs,services,persistentvolumeclaims --selector "$OURS"
say ""
kube get pods --selector "$OURS" -o wide
say ""
say "last warnings:"
kube get events --field-selector type=Warning --sort-by=.lastTimestamp | tail -n 10
say ""
# wanted and ready replicas of each Deployment
STATES=$(kube get deployments --selector "$OURS" \
    -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.replicas} {.status.availableReplicas}{"\n"}{end}')
RESULT=0
for name in "${SERVICE_NAMES[@]}"; do
    read -r _ wanted ready < <(grep "^$RELEASE-$name " <<<"$STATES" || say "$name 1 0")
    [ "${ready:-0}" -ge "$wanted" ] || {
        say "$name: ${ready:-0} of $wanted replicas are available"
        RESULT=1
    }
done
health_check "$TIMEOUT" || RESULT=1
exit "$RESULT"
