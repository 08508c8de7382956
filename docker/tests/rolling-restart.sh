#!/usr/bin/env bash
# Restarts two replicas behind a load balancer, under load, and counts what failed. See --help.
set -euo pipefail
# shellcheck source=scripts/docker-lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/docker-lib.sh"

usage() {
    cat <<'HELP'
Usage: docker/tests/rolling-restart.sh [OPTION]

With the platform running (scripts/docker-start.sh): starts two replicas of the CRM behind haproxy, which retries nothing,
reads and creates leads at a fixed rate, and restarts one replica after the other. Passes when no request failed and every
lead that was acknowledged is stored, once. Needs haproxy.

  --rate N        requests a second (default 100)
  --rounds N      restarts of each replica (default 2)
  --identity URL  default http://127.0.0.1:8001
  --help
HELP
}

RATE=100 ROUNDS=2 IDENTITY=http://127.0.0.1:8001
while [ $# -gt 0 ]; do
    case $1 in
    --rate) RATE=${2:?--rate needs a number} && shift ;;
    --rounds) ROUNDS=${2:?--rounds needs a number} && shift ;;
    --identity) IDENTITY=${2:?--identity needs a URL} && shift ;;
    --help | -h) usage && exit 0 ;;
    *) die "unknown option $1 (see --help)" ;;
    esac
    shift
done
have haproxy || die "haproxy is missing: apt-get install -y haproxy"

WORK=$(mktemp -d)
HAPROXY='' LOAD=''
cleanup() {
    local status=$?
    trap '' INT TERM
    [ -z "$LOAD" ] || kill "$LOAD" 2>/dev/null || true
    [ -z "$HAPROXY" ] || kill "$HAPROXY" 2>/dev/null || true
    compose rm --force --stop crm-a crm-b >/dev/null 2>&1 || true
    rm -rf "$WORK"
    exit "$status"
}

compose() { "${COMPOSE[@]}" --file compose.yaml --file docker/compose.test.yaml "$@"; }

milliseconds() { date +%s%3N; }

# start_replica NAME PORT: from the start of its process to the first 200 of /health/ready, in milliseconds, on standard output.
start_replica() {
    local began
    docker start "$1" >/dev/null
    wait_until 30 http_ok "http://127.0.0.1:$2/health/ready" || die "$1 is not ready after 30 seconds"
    began=$(date -d "$(docker inspect --format '{{.State.StartedAt}}' "$1")" +%s%3N)
    printf '%s' $(($(milliseconds) - began))
}

# Asks every 200 ms, and twice no is out. No second try hides a failure; a slow answer is no answer only after five seconds, so
# that a busy machine takes nobody out.
start_haproxy() {
    cat >"$WORK/haproxy.cfg" <<CONFIG
global
    maxconn 1000
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check 5s
listen crm
    bind 127.0.0.1:$PORT
    option httpchk GET /health/ready
    http-check expect status 200
    default-server check inter 200ms fall 2 rise 2
    server a 127.0.0.1:$CRM_A_PORT
    server b 127.0.0.1:$CRM_B_PORT
CONFIG
    haproxy -db -f "$WORK/haproxy.cfg" >"$WORK/haproxy.log" 2>&1 &
    HAPROXY=$!
    wait_until 10 http_ok "http://127.0.0.1:$PORT/health/ready" || die "haproxy does not answer: $(<"$WORK/haproxy.log")"
}

access_token() {
    curl --silent --show-error --fail "$IDENTITY/auth/register" --header 'content-type: application/json' \
        --data "{\"email\": \"rolling-$(random_hex 6)@example.com\", \"password\": \"$(random_hex 16)\"}" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'
}

start_load() {
    TOKEN=$(access_token) python3 docker/tests/load.py "http://127.0.0.1:$PORT" "$RATE" >"$WORK/load.json" &
    LOAD=$!
}

# Container CONTAINER's replica, of port PORT, goes and comes back while the other one serves.
restart_replica() {
    docker stop --time 30 "$1" >/dev/null
    READY_MS+=("$(start_replica "$1" "$2")")
    sleep 1
}

stored_leads() {
    "${COMPOSE[@]}" --file compose.yaml exec -T postgres psql --username=postgres --dbname=bizosaas --tuples-only --no-align \
        --command="SELECT count(*) FROM crm.leads WHERE first_name = 'Rolling'"
}

cd "$REPO"
choose_docker
choose_compose
CRM_A_PORT=$(free_port 28004) && CRM_B_PORT=$(free_port $((CRM_A_PORT + 1))) && PORT=$(free_port $((CRM_B_PORT + 1)))
export CRM_A_PORT CRM_B_PORT
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

compose up --detach --no-build --pull never --no-deps --wait crm-a crm-b >"$WORK/up.log" 2>&1 || die "$(<"$WORK/up.log")"
A=$(compose ps --quiet crm-a) B=$(compose ps --quiet crm-b)
READY_MS=()
BEFORE=$(stored_leads)
start_haproxy
start_load
sleep 1
for ((round = 0; round < ROUNDS; round++)); do
    restart_replica "$A" "$CRM_A_PORT"
    restart_replica "$B" "$CRM_B_PORT"
done
kill -TERM "$LOAD"
wait "$LOAD" || die "the load failed"
LOAD=''
read -r REQUESTS DURATION FAILED CREATED P99 < <(python3 -c 'import json, sys; it = json.load(open(sys.argv[1]))
print(it["requests"], round(it["seconds"]), it["failed"], it["created"], round(it["p99_ms"], 1))' "$WORK/load.json")
STORED=$(($(stored_leads) - BEFORE))
# The fastest, because a busy machine only adds to it.
FASTEST=$(printf '%s\n' "${READY_MS[@]}" | sort -n | head -n 1)
note "rolling restart: $((ROUNDS * 2)) restarts, $REQUESTS requests in $DURATION s, $FAILED failed, p99 $P99 ms"
note "leads: $CREATED acknowledged, $STORED stored"
note "start to ready: $FASTEST ms (${READY_MS[*]})"
[ "$FAILED" -eq 0 ] || die "requests failed: $(<"$WORK/load.json")"
[ "$REQUESTS" -ge $((RATE * DURATION / 2)) ] || die "less than half of the load was made: this proves nothing"
[ "$CREATED" -gt 0 ] || die "no lead was created: this proves nothing"
[ "$CREATED" -eq "$STORED" ] || die "what was acknowledged is not what is stored"
[ "$FASTEST" -le "${START_LIMIT_MS:-1000}" ] || die "starting took longer than ${START_LIMIT_MS:-1000} ms"
