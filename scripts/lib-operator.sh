# shellcheck shell=bash
# Commands of the operator's binary as a pod in the cluster: what backup, create-owner, restore and rollback share.
# Sourced after lib-deploy.sh, never run. lib-operator.bat is the same for Windows.
# shellcheck disable=SC2034 # the scripts use what is set here

OPERATOR_IMAGE=
# Any image with a shell; the default is in the cluster already when Postgres is bundled.
FILES_IMAGE=pgvector/pgvector:pg17
ADMIN_USER=postgres
POD=

# The options of all of them; sets USED like common_option.
operator_option() {
    USED=2
    case $1 in
    --image) need_value "$@" && OPERATOR_IMAGE=$2 ;;
    --admin-user) need_value "$@" && ADMIN_USER=$2 ;;
    *) common_option "$@" ;;
    esac
}

# The operator's image beside the image that a service runs.
find_operator_image() {
    [ -z "$OPERATOR_IMAGE" ] || return 0
    local image
    image=$(kube get deployment "$RELEASE-identity" -o 'jsonpath={.spec.template.spec.containers[0].image}') ||
        die "there is no release $RELEASE in $NAMESPACE"
    case $image in
    */identity:*) OPERATOR_IMAGE=${image/%\/identity:*/}/bizosaas:${image##*/identity:} ;;
    *) die "the services' images are named by digest ($image): name the operator's with --image" ;;
    esac
}

# of_identity JSONPATH: something of the pods of identity, empty when it is not there.
of_identity() { kube get deployment "$RELEASE-identity" -o "jsonpath={.spec.template.spec.$1}" 2>/dev/null || true; }

# What the services' pods have and the operator's needs too: Secret, ConfigMap, the database's CA, what lets images be
# pulled; and the administrator's login, unless the Secret has no password of his.
find_pod_settings() {
    local keys name names
    SECRET=$(of_identity "volumes[?(@.name=='secrets')].projected.sources[0].secret.name")
    [ -n "$SECRET" ] || SECRET=$RELEASE
    names=$(kube get deployments,jobs --selector "app.kubernetes.io/instance=$RELEASE" -o \
        "jsonpath={.items[*].spec.template.spec.volumes[?(@.name=='secrets')].projected.sources[*].secret.name}")
    for name in $names; do
        [ "$name" = "$SECRET" ] || die "secrets.overrides takes keys from the Secret $name as well as from $SECRET, and this" \
            "script's pod reads one Secret: put all keys into one and name it in secrets.existingSecret"
    done
    CONFIG=$(of_identity "containers[0].envFrom[0].configMapRef.name")
    [ -n "$CONFIG" ] || CONFIG=$RELEASE
    CA_SECRET=$(of_identity "volumes[?(@.name=='database-ca')].secret.secretName")
    PULL_SECRETS=$(of_identity "imagePullSecrets[0].name")
    [ -z "$PULL_SECRETS" ] || PULL_SECRETS="name: $PULL_SECRETS"
    keys=" $(secret_keys "$SECRET")"
    ADMIN=true
    [[ $keys == *" postgres-admin-password "* ]] || ADMIN=false
}

# Prints a part of the pod with its words replaced.
manifest() {
    local text word
    text=$(<"$REPO/scripts/manifests/$1.yaml")
    for word in NAME RELEASE TIMEOUT SECRET CONFIG PULL_SECRETS IMAGE FILES_IMAGE ARGS; do
        text=${text//"@$word@"/"${!word:-}"}
    done
    say "$text"
}

operator_head() {
    manifest operator-pod
    [ -z "$CA_SECRET" ] || say "    - {name: database-ca, secret: {secretName: $CA_SECRET}}"
}

operator_container() {
    manifest operator-container
    [ -z "$CA_SECRET" ] || say "        - {name: database-ca, mountPath: /run/secrets/database-ca, readOnly: true}"
    manifest operator-environment
    if $ADMIN; then
        say "        - {name: POSTGRES_USER, value: $ADMIN_USER}"
        say "        - {name: POSTGRES_PASSWORD_FILE, value: /run/secrets/bizosaas/postgres-admin-password}"
    fi
}

# is_one_line TEXT: false when it has control characters or, in UTF-8, what YAML takes for the end of a line.
is_one_line() {
    local LC_ALL=C
    case $1 in
    *[[:cntrl:]]* | *$'\xc2'[$'\x80'-$'\x9f']* | *$'\xe2\x80'[$'\xa8\xa9']*) return 1 ;;
    esac
}

# quoted TEXT: one line of any text as an argument for start_pod. Kubernetes takes $(NAME) in arguments for a variable.
quoted() {
    local text=$1 backslash=$'\\'
    text=${text//"$backslash"/"$backslash$backslash"}
    text=${text//\"/'\"'}
    text=${text//\$/'$$'}
    printf '"%s"' "$text"
}

# start_pod KIND ARGUMENTS: a pod that runs the operator with these arguments (as YAML) and is removed when the script
# ends. KIND plain runs it; take: a file is taken from it afterwards; give: it waits until it was given a file.
start_pod() {
    local NAME IMAGE=$OPERATOR_IMAGE ARGS=$2
    NAME=$RELEASE-operator-$(random_hex 3)
    {
        operator_head
        case $1 in
        plain) say "  containers:" && operator_container ;;
        take)
            say "  initContainers:" && operator_container
            say "  containers:" && manifest files-container
            ;;
        give)
            say "  initContainers:" && manifest files-container
            say "  containers:" && operator_container
            ;;
        esac
    } >"$SCRATCH/pod.yaml"
    if $DRY_RUN; then
        say "+ kubectl create --filename - (pod $NAME: $IMAGE $ARGS)"
        return 0
    fi
    POD=$NAME
    trap 'remove_pod; rm -rf -- "$SCRATCH"' EXIT
    kube create --filename "$SCRATCH/pod.yaml" >/dev/null
}

remove_pod() {
    [ -z "$POD" ] || kube delete pod "$POD" --ignore-not-found --wait=false >/dev/null || true
}

# phase_is WORD...: true when the pod's phase is one of these.
phase_is() {
    PHASE=$(kube get pod "$POD" -o 'jsonpath={.status.phase}')
    [[ " $* " == *" $PHASE "* ]] || {
        sleep 1
        return 1
    }
}

# wait_for_phase WORD...: waits for one of these phases; false when it failed or took too long.
wait_for_phase() {
    if ! wait_until "$TIMEOUT" phase_is "$@" Failed; then
        kube get pod "$POD" -o wide >&2 || true
        kube get events --field-selector "involvedObject.name=$POD" >&2 || true
        warn "the pod $POD is still $PHASE after $TIMEOUT seconds"
        return 1
    fi
    [ "$PHASE" != Failed ]
}

operator_logs() { kube logs "$POD" --container operator; }

files_run() {
    [ -n "$(kube get pod "$POD" -o 'jsonpath={.status.initContainerStatuses[0].state.running.startedAt}')" ] || {
        sleep 1
        return 1
    }
}

# take_file FILE: the file that the operator wrote, whole or not at all.
take_file() {
    local there here
    kube exec "$POD" --container files -- cat /backup/backup.tar >"$1.partial"
    there=$(kube exec "$POD" --container files -- sha256sum /backup/backup.tar)
    here=$(sha256sum <"$1.partial")
    [ "${there%% *}" = "${here%% *}" ] || {
        rm -f -- "$1.partial"
        die "the file was damaged on its way"
    }
    mv -- "$1.partial" "$1"
    kube exec "$POD" --container files -- touch /backup/passed
}

# give_file FILE [NAME]: the file for the operator, which finds it as /backup/NAME and starts when it is there.
give_file() {
    local given=/backup/${2:-backup.tar}
    wait_until "$TIMEOUT" files_run || die "the pod $POD does not start: kubectl describe pod $POD"
    local there here
    kube exec --stdin "$POD" --container files -- sh -c "cat >$given" <"$1"
    there=$(kube exec "$POD" --container files -- sha256sum "$given")
    here=$(sha256sum <"$1")
    [ "${there%% *}" = "${here%% *}" ] || die "the file was damaged on its way"
    kube exec "$POD" --container files -- touch /backup/passed
}
