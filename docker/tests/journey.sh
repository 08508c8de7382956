#!/usr/bin/env bash
# The README's first calls against a running platform, each answer checked. See --help.
set -euo pipefail

usage() {
    cat <<'HELP'
Usage: docker/tests/journey.sh [OPTION]

Registers a company, creates a lead and reads its score, asks the chatbot for a to-do, and sees both counted; a second
company sees nothing of it. Needs a platform where registering logs in (ENVIRONMENT=development).

  --host HOST   default 127.0.0.1
  --first PORT  port of identity, the other four follow it (default 8001; 30101 are the NodePorts)
  --help
HELP
}

HOST=127.0.0.1 FIRST=8001
while [ $# -gt 0 ]; do
    case $1 in
    --host) HOST=${2:?--host needs a value} && shift ;;
    --first) FIRST=${2:?--first needs a port} && shift ;;
    --help | -h) usage && exit 0 ;;
    *) echo "error: unknown option $1 (see --help)" >&2 && exit 2 ;;
    esac
    shift
done
IDENTITY=http://$HOST:$FIRST CHATBOT=http://$HOST:$((FIRST + 2)) CRM=http://$HOST:$((FIRST + 3))
ANALYTICS=http://$HOST:$((FIRST + 4))

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# call STATUS URL [BODY]: the answer's body; ends when the status is another.
call() {
    local answer options=(--silent --max-time 10 --write-out '\n%{http_code}')
    [ -z "${TOKEN:-}" ] || options+=(--header "authorization: Bearer $TOKEN")
    [ -z "${3:-}" ] || options+=(--header 'content-type: application/json' --data "$3")
    answer=$(curl "${options[@]}" "$2") || true
    [ "${answer##*$'\n'}" = "$1" ] || fail "$2 answered ${answer##*$'\n'} and not $1: ${answer%$'\n'*}"
    printf '%s' "${answer%$'\n'*}"
}

# field EXPRESSION: of the JSON document on standard input, called `it`.
field() { python3 -c "import json, sys; it = json.load(sys.stdin); print($1)"; }

# is WHAT WANTED GOT
is() {
    [ "$2" = "$3" ] || fail "$1 is \"$3\" and not \"$2\""
    printf '  %-44s %s\n' "$1" "$3"
}

register() {
    call 201 "$IDENTITY/auth/register" "{\"email\": \"$1-$RANDOM$RANDOM@acme.example\", \"password\": \"correct horse battery\",
        \"name\": \"Ada\", \"tenant_name\": \"$1 $RANDOM$RANDOM\"}" | field 'it["access_token"]'
}

# The overview's number of leads: analytics reads them a moment after they happened.
leads_counted() {
    local tries
    for ((tries = 0; tries < 50; tries++)); do
        OVERVIEW=$(call 200 "$ANALYTICS/api/dashboards/overview?days=7&time_zone=Europe/Berlin")
        [[ $(leads_in_overview) == "$1" ]] && return
        sleep 0.2
    done
}
leads_in_overview() { field '[one["total"] for one in it["metrics"] if one["key"] == "leads_created"][0]' <<<"$OVERVIEW"; }

TOKEN=''
TOKEN=$(register acme)
is "role of who registers" owner "$(call 200 "$IDENTITY/auth/me" | field 'it["roles"][0]')"

LEAD=$(call 201 "$CRM/api/leads" '{"first_name": "Grace", "email": "grace@corp.example", "title": "CEO", "source": "referral"}' |
    field 'it["id"]')
SCORE=$(call 200 "$CRM/api/leads/$LEAD/score")
is "grade of a chief executive by referral" A "$(field 'it["grade"]' <<<"$SCORE")"

CHAT=$(call 200 "$CHATBOT/api/chat" '{"message": "add a todo: call Ada tomorrow at 3pm", "time_zone": "Europe/Berlin"}')
is "what the chatbot understood" todo.create "$(field 'it["understood"]["intent"]' <<<"$CHAT")"
is "to-do that the chatbot made" "call Ada" "$(call 200 "$CRM/api/todos" | field 'it["items"][0]["title"]')"

leads_counted 1
is "leads in the overview" 1 "$(leads_in_overview)"

TOKEN=''
TOKEN=$(register globex)
call 404 "$CRM/api/leads/$LEAD" >/dev/null
is "leads that another company sees" 0 "$(call 200 "$CRM/api/leads" | field 'len(it["items"])')"
TOKEN=''
call 401 "$CRM/api/leads" >/dev/null
echo "  the journey is complete"
