#!/bin/sh
# Installs what a screen without a monitor needs, builds the program and runs every step of end_to_end.py; arguments are passed on.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages.sh
need_rust
need_build_packages
if ! { need_desk_packages && need_screen_packages; }; then
    echo "LEFT OUT: the packages for a screen without a monitor cannot be installed here." >&2
    exit 0
fi
cargo build --release --locked --workspace --bin sightread
exec python3 tests/window/end_to_end.py "${CARGO_TARGET_DIR:-target}/release/sightread" "$@"
