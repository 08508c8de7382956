#!/bin/bash
# collect-clients.sh OUT: the programs that `bizosaas backup` and `restore` run and every library they load, from the image
# that this runs in, laid out under OUT for an image that has no C library of its own. Taking all from one image keeps them
# of one piece.
set -euo pipefail

OUT=${1:?usage: collect-clients.sh OUT}
mkdir -p "$OUT/usr/local/bin"
for program in pg_dump pg_restore; do
    # Not from the PATH: Debian has wrapper scripts there.
    install -m 0755 /usr/lib/postgresql/*/bin/"$program" "$OUT/usr/local/bin/$program"
done

# ldd prints "name => path (address)", and the loader by its path alone. Libraries go where the loader looks by itself; the
# loader goes exactly where the programs name it.
ldd "$OUT"/usr/local/bin/* | awk '$2 == "=>" {print "library", $3} $1 ~ /^\// && !/:$/ {print "loader", $1}' | sort -u |
    while read -r kind path; do
        case $kind in
        loader) to=$OUT$path ;;
        library) to=$OUT/usr/lib/$(uname -m)-linux-gnu/${path##*/} ;;
        esac
        install -D -m 0755 "$(readlink -f "$path")" "$to"
    done
