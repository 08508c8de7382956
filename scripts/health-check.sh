#!/usr/bin/env bash
# One line per service, from its /health. See --help. health-check.bat is the same for Windows.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: scripts/health-check.sh [OPTION]

Asks /health of every service: one line each, ✅ or ❌; exit code 0 when all are healthy (degraded counts: they serve).

  --host HOST        default localhost
  --ports node|api   NodePorts 30101-30105 (default) or API ports 8001-8005
  --wait SECONDS     ask again until all are healthy, for at most so long
  --json             a JSON array instead
  --help

BIZOSAAS_PORT_OFFSET is added to the ports.
HELP
}

HOST=localhost PORTS=node WAIT=0 JSON=false
while [ $# -gt 0 ]; do
    case $1 in
    --host) HOST=${2:?--host needs a value} && shift ;;
    --ports) PORTS=${2:?--ports needs node or api} && shift ;;
    --wait) WAIT=${2:?--wait needs seconds} && shift ;;
    --json) JSON=true ;;
    --help | -h) usage && exit 0 ;;
    *) echo "error: unknown option $1 (see --help)" >&2 && exit 2 ;;
    esac
    shift
done
case $PORTS in
node) FIRST=30101 ;;
api) FIRST=8001 ;;
*) echo "error: --ports is node or api" >&2 && exit 2 ;;
esac
case $WAIT in
'' | *[!0-9]*) echo "error: --wait needs a number of seconds" >&2 && exit 2 ;;
esac

FIRST=$((FIRST + ${BIZOSAAS_PORT_OFFSET:-0}))

NAMES=(identity ai-orchestrator chatbot crm analytics)

# Sets HTTP (000: no answer) and STATUS (what /health says of itself) of the service at URL $1.
ask() {
    local answer
    answer=$(curl --silent --max-time 5 --write-out '\n%{http_code}' "$1") || true
    HTTP=${answer##*$'\n'}
    STATUS=$(grep -o '"status": *"[a-z]*"' <<<"${answer%$'\n'*}" | head -n 1 | cut -d'"' -f4) || true
    if [ "$HTTP" = 000 ]; then
        STATUS=unreachable
    elif [ -z "$STATUS" ]; then
        STATUS=unknown
    fi
}

# Sets REPORT; true when every service is healthy.
check_all() {
    local i url all=0 healthy lines=() json=()
    for i in "${!NAMES[@]}"; do
        url=http://$HOST:$((FIRST + i))/health
        ask "$url"
        if [ "$HTTP" = 200 ] && { [ "$STATUS" = healthy ] || [ "$STATUS" = degraded ]; }; then
            healthy=true
            lines+=("✅ ${NAMES[i]}$([ "$STATUS" = healthy ] || printf ' (%s)' "$STATUS")")
        else
            healthy=false all=1
            lines+=("❌ ${NAMES[i]} ($STATUS, HTTP $HTTP, $url)")
        fi
        json+=("{\"name\":\"${NAMES[i]}\",\"url\":\"$url\",\"http\":$((10#$HTTP)),\"status\":\"$STATUS\",\"healthy\":$healthy}")
    done
    if $JSON; then
        REPORT="[$(IFS=, && printf '%s' "${json[*]}")]"
    else
        REPORT=$(printf '%s\n' "${lines[@]}")
    fi
    return "$all"
}

while true; do
    RESULT=0
    check_all || RESULT=1
    if [ "$RESULT" -eq 0 ] || [ "$SECONDS" -ge "$WAIT" ]; then break; fi
    sleep 0.5
done
printf '%s\n' "$REPORT"
exit "$RESULT"
