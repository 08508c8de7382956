#!/usr/bin/env bash
# Stand-ins for the base images, made from Debian packages and this machine's toolchain. See --help.
set -euo pipefail
# shellcheck source=scripts/docker-lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../../scripts/docker-lib.sh"

usage() {
    cat <<'HELP'
Usage: docker/local-base/make.sh [OPTION] [NAME...]

Makes images under the names of the official ones, for machines that reach a Debian mirror but no image registry. The
builder and compose take a local image of the exact name and ask nobody. An image that exists already is kept, real or not.

  static    gcr.io/distroless/static-debian12:nonroot   what the images are built on      (seconds, no download)
  postgres  pgvector/pgvector:pg17                      Postgres 17 with pgvector         (minutes)
  valkey    valkey/valkey:8                             the cache; same files as postgres (seconds after postgres)
  rust      rust:1-bookworm                             the builder, from this machine's toolchain (minutes, 1.5 GB)

Without NAME: static, postgres and valkey, which is what running needs with prebuilt binaries. What was downloaded stays in
the development directory (.dev/local-base). Needs root, debootstrap and docker.

  --remove   remove the stand-ins (by their label; official images stay)
  --help
HELP
}

# Says of an image that it is no official one.
LABEL=org.bizosaas.stand-in
CACHE=$DEV_DIR/local-base
REMOVE=false NAMES=()
while [ $# -gt 0 ]; do
    case $1 in
    --remove) REMOVE=true ;;
    --help | -h) usage && exit 0 ;;
    static | postgres | valkey | rust) NAMES+=("$1") ;;
    *) die "unknown argument $1 (see --help)" ;;
    esac
    shift
done
[ ${#NAMES[@]} -gt 0 ] || NAMES=(static postgres valkey)

exists() { docker image inspect "$1" >/dev/null 2>&1; }

# import_image IMAGE ROOT CHANGE...: the directory ROOT as an image with these settings.
import_image() {
    local image=$1 root=$2 change changes=()
    shift 2
    for change in "LABEL $LABEL=true" "$@"; do changes+=(--change "$change"); done
    tar -C "$root" --numeric-owner -c . | docker import "${changes[@]}" - "$image" >/dev/null
}

# bootstrap SUITE DIRECTORY PACKAGES: a small Debian with these packages, once.
bootstrap() {
    local root=$2
    [ ! -e "$root/.complete" ] || return 0
    have debootstrap || die "debootstrap is missing: apt-get install -y debootstrap"
    is_root || die "debootstrap needs root"
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --include="$3" "$1" "$root" >"$CACHE/debootstrap.log" 2>&1 ||
        die "debootstrap failed, see $CACHE/debootstrap.log"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale,i18n}
}

# What distroless/static holds: roots of trust, users, how names are resolved.
make_static() {
    local root=$CACHE/static bundle=/etc/ssl/certs/ca-certificates.crt
    [ -r "$bundle" ] || die "$bundle is missing: apt-get install -y ca-certificates"
    rm -rf "$root"
    mkdir -p "$root"/{etc/ssl/certs,home/nonroot,tmp,var,usr,lib,dev,proc,sys,run}
    chmod 1777 "$root/tmp"
    cp "$bundle" "$root$bundle"
    printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin' \
        'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$root/etc/passwd"
    printf '%s\n' 'root:x:0:' 'nobody:x:65534:' 'nonroot:x:65532:' >"$root/etc/group"
    printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
    chown 65532:65532 "$root/home/nonroot" 2>/dev/null || die "making images needs root"
    import_image "$STATIC_IMAGE" "$root" "ENV SSL_CERT_FILE=$bundle" 'ENV PATH=/usr/local/bin:/usr/bin:/bin' \
        'USER 65532' 'WORKDIR /home/nonroot'
}

# The files of both servers: the official images' user id, directories and listening address.
server_root() {
    local root=$CACHE/servers
    [ ! -e "$root/.complete" ] || return 0
    bootstrap trixie "$root" ca-certificates,postgresql-17,postgresql-17-pgvector,valkey-server,valkey-tools
    rm -rf "$root"/var/lib/postgresql/17 "$root"/etc/postgresql "$root"/usr/lib/*/libLLVM* \
        "$root"/usr/lib/postgresql/17/lib/{bitcode,llvmjit*}
    chroot "$root" groupmod -g 999 postgres
    chroot "$root" usermod -u 999 -g 999 postgres
    install -d -o 999 -g 999 -m 1777 "$root/var/lib/postgresql/data"
    install -d -o 999 -g 999 -m 3777 "$root/var/run/postgresql"
    sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" "$root/usr/share/postgresql/17/postgresql.conf.sample"
    install -m 0755 "$REPO/docker/local-base/postgres-entrypoint.sh" "$root/usr/local/bin/docker-entrypoint.sh"
    touch "$root/.complete"
}

make_postgres() {
    server_root
    import_image "$POSTGRES_IMAGE" "$CACHE/servers" 'ENV PG_MAJOR=17' 'ENV PGDATA=/var/lib/postgresql/data' \
        'ENV LANG=C.UTF-8' 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin' \
        'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]' 'EXPOSE 5432'
}

make_valkey() {
    server_root
    import_image "$VALKEY_IMAGE" "$CACHE/servers" 'WORKDIR /tmp' 'CMD ["valkey-server"]' 'EXPOSE 6379'
}

# The toolchain of this machine on the Debian of the official image. The roots of trust come along, because a machine
# without a registry is often one whose TLS is intercepted.
make_rust() {
    local root=$CACHE/rust sysroot
    have rustc || die "rustc is missing"
    bootstrap bookworm "$root" ca-certificates,gcc,g++,libc6-dev,make,cmake,pkg-config,git
    touch "$root/.complete"
    sysroot=$(rustc --print sysroot)
    mkdir -p "$root/usr/local/cargo" "$root/usr/local/rust"
    (cd "$sysroot" && tar -c --exclude=share bin lib libexec) | tar -x -C "$root/usr/local/rust"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    import_image "$RUST_IMAGE" "$root" 'ENV CARGO_HOME=/usr/local/cargo' \
        'ENV PATH=/usr/local/cargo/bin:/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
}

remove_all() {
    local id
    for id in $(docker image ls --quiet --filter "label=$LABEL=true" | sort -u); do
        docker image rm --force "$id" >/dev/null
    done
}

choose_docker
if $REMOVE; then
    remove_all
    exit
fi
make_dev_dir
mkdir -p "$CACHE"
for name in "${NAMES[@]}"; do
    image=${name^^}_IMAGE
    image=${!image}
    if exists "$image"; then
        note "$image is there"
    else
        note "making a stand-in for $image"
        "make_$name"
    fi
done
