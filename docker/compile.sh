#!/usr/bin/env bash
# compile.sh OUT: the six release binaries as the images hold them, into the directory OUT. Run by docker/Dockerfile inside
# the builder and by scripts/docker-build.sh --prebuilt outside, so that there is one way in which they are made.
#
# TARGETARCH   amd64 or arm64 (Docker's names; default: this machine's)
set -euo pipefail

OUT=${1:?usage: compile.sh OUT}
BINARIES=(identity ai-orchestrator chatbot crm analytics bizosaas)

host=$(rustc -vV | sed -n 's/^host: //p')
case ${TARGETARCH:-${host%%-*}} in
amd64 | x86_64) target=x86_64-unknown-linux-gnu ;;
arm64 | aarch64) target=aarch64-unknown-linux-gnu ;;
*) echo "error: no images for ${TARGETARCH:-$host}" >&2 && exit 1 ;;
esac

# Compiled across, never emulated: an emulated build takes an hour.
if [ "$target" != "$host" ]; then
    cross=${target%%-*}-linux-gnu
    command -v "$cross-gcc" >/dev/null || {
        echo "error: $cross-gcc is missing (on Debian: apt-get install gcc-${cross//_/-} libc6-dev-${TARGETARCH}-cross)" >&2
        exit 1
    }
    # The toolchain file would pull the whole toolchain into an image that has one.
    rustup target add "$target"
    variable=${target//-/_}
    export "CARGO_TARGET_${variable^^}_LINKER=$cross-gcc" "CC_$variable=$cross-gcc" "AR_$variable=$cross-ar"
fi

# Static glibc: no C library in the image, none that could be too old for the machine that compiled. glibc, not musl, whose
# allocator makes threads wait for each other. Host names are resolved by glibc's own files and dns modules, which are
# inside. No paths of this machine in panics.
export CARGO_INCREMENTAL=0
export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$PWD=/src"
RUSTFLAGS+=" --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"

# auditable: the list of crates goes into the binary, where scanners find it.
build=(cargo auditable build)
if ! cargo auditable --version >/dev/null 2>&1; then
    echo "warning: cargo-auditable is not installed: the binaries will not list their crates" \
        "(cargo install cargo-auditable --locked)" >&2
    build=(cargo build)
fi
packages=()
for binary in "${BINARIES[@]}"; do packages+=(--package "$binary"); done
# Without its default feature the operator's binary does not have the five services inside, which are half of its size. The
# services have no default features.
"${build[@]}" --release --locked --bins --no-default-features --target "$target" "${packages[@]}"

mkdir -p "$OUT"
for binary in "${BINARIES[@]}"; do
    install -m 0755 "${CARGO_TARGET_DIR:-target}/$target/release/$binary" "$OUT/$binary"
done
