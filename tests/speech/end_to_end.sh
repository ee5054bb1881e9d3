#!/bin/sh
# Installs what a desk without hardware needs, builds the program and runs every step of end_to_end.py; arguments are passed on.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages.sh
need_rust
need_build_packages
if ! need_desk_packages; then
    echo "LEFT OUT: the packages for a desk without hardware cannot be installed here." >&2
    exit 0
fi
cargo build --release --locked --workspace --bin sightread
exec python3 tests/speech/end_to_end.py "${CARGO_TARGET_DIR:-target}/release/sightread" "$@"
