#!/bin/sh
# A camera on a machine that has none: builds v4l2_shim.c and runs a program that sees a file of JPEGs as /dev/video0.
#
#   tests/camera/shim.sh                              builds sightread and runs every check of check.py
#   tests/camera/shim.sh FRAMES PROGRAM [ARGUMENT …]  runs any program, such as target/release/sightread cameras
#
# FRAMES is a film of JPEGs (cat *.jpg > film.mjpeg). v4l2_shim.c tells about more variables.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
gcc -shared -fPIC -O2 -Wall -Wextra -o "$target/v4l2_shim.so.$$" "$here/v4l2_shim.c" -ldl -lpthread
mv "$target/v4l2_shim.so.$$" "$target/v4l2_shim.so"
if [ $# -gt 0 ]; then
    V4L2_SHIM_FRAMES=$1 LD_PRELOAD=$target/v4l2_shim.so
    export V4L2_SHIM_FRAMES LD_PRELOAD
    shift
    exec "$@"
fi
cd "$root"
. scripts/packages.sh
need_rust
need_build_packages
need python3
cargo build --release --locked --workspace --bin sightread
exec python3 tests/camera/check.py "$target/release/sightread" "$target/v4l2_shim.so"
