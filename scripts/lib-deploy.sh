# shellcheck shell=bash
# What the scripts that deploy to Kubernetes share: options, dry runs, kubectl, the Secret, waiting, health. Sourced after
# lib.sh, never run. The caller has `set -euo pipefail` and a function `usage`. lib-deploy.bat is the same for Windows.
# shellcheck disable=SC2034 # the scripts use what is set here

NAMESPACE=bizosaas-dev
RELEASE=bizosaas
CONTEXT=
TIMEOUT=900
NODE=
DRY_RUN=false
YES=false

SERVICE_NAMES=(identity ai-orchestrator chatbot crm analytics)

# Keys of the Secret: a pod reads them as files of these names.
ROLE_KEYS=()
for schema in "${SCHEMAS[@]}"; do ROLE_KEYS+=("${schema,,}-db-password"); done
MIGRATOR_KEYS=("${ROLE_KEYS[@]/%-db-password/-migrator-password}")
OTHER_KEYS=(cache-password llm-api-key)

# --- options ---------------------------------------------------------------------------------------------------------

usage_error() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

# need_value OPTION [VALUE]: an option that was given without its value is a mistake.
need_value() { [ -n "${2:-}" ] || usage_error "$1 needs a value (see --help)"; }

# Takes one of the options that all these scripts have; USED is how many arguments that were.
common_option() {
    USED=2
    case $1 in
    --namespace | -n) need_value "$@" && NAMESPACE=$2 ;;
    --release)
        need_value "$@"
        # then the chart's names begin with the release's
        [[ $2 == *bizosaas* ]] || usage_error "the release's name must contain bizosaas"
        RELEASE=$2
        ;;
    --context) need_value "$@" && CONTEXT=$2 ;;
    --host) need_value "$@" && NODE=$2 ;;
    --timeout)
        need_value "$@"
        case $2 in *[!0-9]*) usage_error "--timeout needs a number of seconds" ;; esac
        TIMEOUT=$2
        ;;
    --dry-run) DRY_RUN=true USED=1 ;;
    --yes | -y) YES=true USED=1 ;;
    --help | -h) usage && exit 0 ;;
    *) usage_error "unknown option $1 (see --help)" ;;
    esac
}

# Asks unless --yes was given; anything but yes ends the script.
confirm() {
    local answer
    if $YES || $DRY_RUN; then return 0; fi
    [ -t 0 ] || die "$1 Confirm with --yes."
    read -r -p "$1 [y/N] " answer
    [ "$answer" = y ] || [ "$answer" = Y ] || die "nothing was changed"
}

# --- running ---------------------------------------------------------------------------------------------------------

# change COMMAND...: runs what changes something; a dry run prints it.
change() {
    if ! $DRY_RUN; then
        "$@"
        return
    fi
    case $1 in
    kube) shift && set -- "${KUBECTL[@]}" ${CONTEXT:+--context "$CONTEXT"} --namespace "$NAMESPACE" "$@" ;;
    helm_here) shift && set -- helm ${CONTEXT:+--kube-context "$CONTEXT"} --namespace "$NAMESPACE" "$@" ;;
    esac
    printf '+%s\n' "$(printf ' %q' "$@")"
}

# need PROGRAM HOW: ends with a sentence when a program is missing.
need() { have "$1" || die "$1 is missing: $2"; }

# Finds kubectl (K3s has one inside) and, on a K3s node, its configuration.
need_kubectl() {
    KUBECTL=(kubectl)
    if ! have kubectl; then
        have k3s || die "kubectl is missing: https://kubernetes.io/docs/tasks/tools/"
        KUBECTL=(k3s kubectl)
    fi
    use_k3s_config
}

use_k3s_config() {
    local config=/etc/rancher/k3s/k3s.yaml
    if [ -z "${KUBECONFIG:-}" ] && [ ! -e "${HOME:-/root}/.kube/config" ] && [ -r "$config" ]; then
        export KUBECONFIG=$config
    fi
}

# kube ARGUMENT...: kubectl in the namespace (and context).
kube() { "${KUBECTL[@]}" ${CONTEXT:+--context "$CONTEXT"} --namespace "$NAMESPACE" "$@"; }

# helm with the same namespace and context
helm_here() { helm ${CONTEXT:+--kube-context "$CONTEXT"} --namespace "$NAMESPACE" "$@"; }

# True when the release was installed with Helm.
is_helm_release() {
    if have helm; then
        helm_here status "$RELEASE" >/dev/null 2>&1
        return
    fi
    # where Helm keeps its releases: taken for one of Kustomize, it would be left half behind
    [ -z "$(kube get secrets --selector "owner=helm,name=$RELEASE" -o name)" ] ||
        die "$RELEASE was installed with Helm, which is missing here: https://helm.sh/docs/intro/install/"
    return 1
}

# Ends when the cluster cannot be reached; without this, everything would seem to be missing.
need_cluster() { kube version >/dev/null 2>&1 || die "the cluster does not answer: kubectl cluster-info says more"; }

ensure_namespace() {
    [ -z "$(kube get namespace "$NAMESPACE" --ignore-not-found -o name)" ] || return 0
    change kube create namespace "$NAMESPACE"
}

# A private directory that is removed when the script ends, in SCRATCH.
make_scratch() {
    umask 077
    SCRATCH=$(mktemp -d)
    trap 'rm -rf -- "$SCRATCH"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# --- the Secret ------------------------------------------------------------------------------------------------------

# The names of a Secret's keys, each with a blank behind it; never a value.
secret_keys() {
    # shellcheck disable=SC2016 # a template of kubectl
    kube get secret "$1" -o 'go-template={{range $k, $v := .data}}{{$k}} {{end}}'
}

# ensure_secret NAME DIR MODE [CACHE-MODE]: creates the Secret when there is none. Values come from the files in DIR; those
# that are not there are generated, except what an existing Postgres knows already (MODE external) or an existing Redis may
# not want (CACHE-MODE, by default the same). They pass through files only.
ensure_secret() {
    local keys key missing=()
    if [ -n "$(kube get secret "$1" --ignore-not-found -o name)" ]; then
        keys=" $(secret_keys "$1")"
        for key in platform-secret "${ROLE_KEYS[@]}"; do
            [[ $keys == *" $key "* ]] || missing+=("$key")
        done
        [ ${#missing[@]} -eq 0 ] || die "Secret $1 exists but lacks: ${missing[*]}"
        say "Secret $1 exists and stays as it is"
        return 0
    fi
    collect_secret "$2" "$3" "${4:-$3}"
    change kube create secret generic "$1" "--from-file=$SCRATCH/secret"
}

# Fills SCRATCH/secret with a file for each key.
collect_secret() {
    local key missing=() roles=("${ROLE_KEYS[@]}" "${MIGRATOR_KEYS[@]}") generate=true
    for key in "${roles[@]}"; do
        [ -f "$1/$key" ] || missing+=("$key")
    done
    # All roles have passwords already: the administrator made them, and keeps his own to himself.
    [ ${#missing[@]} -gt 0 ] || generate=false
    if [ "$2" = external ] && [ ${#missing[@]} -gt 0 ]; then
        die "an existing Postgres knows the roles' passwords already: give them as files with --secrets DIR, see" \
            "docs/deployment.md; missing: ${missing[*]}"
    fi
    mkdir "$SCRATCH/secret"
    for key in platform-secret postgres-admin-password "${roles[@]}" "${OTHER_KEYS[@]}"; do
        if [ -f "$1/$key" ]; then
            printf '%s' "$(<"$1/$key")" >"$SCRATCH/secret/$key" # without the newline at the end
            continue
        fi
        case $key in
        llm-api-key) continue ;;
        cache-password) [ "$3" != external ] || continue ;;
        postgres-admin-password) $generate || continue ;;
        esac
        random_hex 24 >"$SCRATCH/secret/$key"
    done
}

# --- waiting ---------------------------------------------------------------------------------------------------------

# What an operator looks at first.
explain_failure() {
    {
        kube get pods -o wide || true
        kube get events --field-selector type=Warning --sort-by=.lastTimestamp 2>/dev/null | tail -n 10 || true
        say "see docs/troubleshooting.md"
    } >&2
}

MIGRATE_JOBS=app.kubernetes.io/component=migrate

# Sets JOBS_STATE to running, complete or failed; no Job at all (it was cleaned up) is complete.
look_at_migration() {
    local found
    found=$(kube get jobs --selector "$MIGRATE_JOBS,app.kubernetes.io/instance=$RELEASE" \
        -o 'jsonpath={range .items[*]}{.metadata.name}={.status.succeeded}/{.status.conditions[*].type} {end}')
    JOBS_STATE=complete
    case $found in *Failed*) JOBS_STATE=failed ;; *=/*) JOBS_STATE=running ;; esac
}

migration_ended() {
    look_at_migration
    [ "$JOBS_STATE" != running ] || {
        sleep 2
        return 1
    }
}

wait_for_migration() {
    say "waiting for the migration"
    if $DRY_RUN; then return 0; fi
    wait_until "$TIMEOUT" migration_ended || JOBS_STATE=late
    [ "$JOBS_STATE" != complete ] || return 0
    kube logs --selector "$MIGRATE_JOBS" --tail 20 >&2 || true
    explain_failure
    die "the migration did not succeed within $TIMEOUT seconds ($JOBS_STATE)"
}

wait_for_rollout() {
    local name
    for name in "${SERVICE_NAMES[@]}"; do
        change kube rollout status "deployment/$RELEASE-$name" "--timeout=${TIMEOUT}s" || {
            explain_failure
            die "$name did not become ready within $TIMEOUT seconds"
        }
    done
}

# --- health ----------------------------------------------------------------------------------------------------------

# The address at which NodePorts answer: this machine when the cluster is here, else the first node.
node_host() {
    local server
    if [ -n "$NODE" ]; then
        printf '%s' "$NODE"
        return
    fi
    server=$(kube config view --minify -o 'jsonpath={.clusters[0].cluster.server}' 2>/dev/null) || server=
    case $server in
    '' | *//127.0.0.1* | *//localhost* | *//0.0.0.0* | *//kubernetes.docker.internal*) printf localhost ;;
    *) kube get nodes -o 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}' | cut -d' ' -f1 ;;
    esac
}

# health_check SECONDS: asks the services through their NodePorts.
health_check() {
    local type
    if $DRY_RUN; then
        change scripts/health-check.sh --host "${NODE:-NODE}" --wait "$1"
        return 0
    fi
    type=$(kube get service "$RELEASE-identity" -o 'jsonpath={.spec.type}')
    if [ "$type" != NodePort ]; then
        say "the Services are of type $type: no NodePort to ask; every rollout is complete"
        return 0
    fi
    "$REPO/scripts/health-check.sh" --host "$(node_host)" --wait "$1"
}
