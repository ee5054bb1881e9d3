#!/bin/sh
# Runs the parity tests and prints docs/parity.md: how far every network is from its reference implementation.
#
#   tests/parity/table.sh > docs/parity.md
#
# With SIGHTREAD_SMOLVLM_RANDOM=FOLDER (see full_size.sh) also a SmolVLM of full size.
set -eu
cd "$(dirname "$0")/../.."
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
set -- --nocapture --test-threads 1
[ -z "${SIGHTREAD_SMOLVLM_RANDOM:-}" ] || set -- "$@" --include-ignored
cargo test --release --locked --workspace --test '*_parity' -- "$@" >"$rows"
cargo test --release --locked --workspace --lib -- --nocapture --test-threads 1 vision::parity >>"$rows"
cat <<'HEAD'
# How far our networks are from their reference implementations

Written by `tests/parity/table.sh > docs/parity.md`, which runs `tests/tests/*_parity.rs` and `models/src/vision/parity.rs`. The references are transformers' models
with random weights of the true architecture in tiny widths, or, where a row says 256m, in the true ones, and for PP-OCR the published ONNX
files in onnxruntime; `tests/parity/make_*_fixtures.py` write them.
CogVLM2 is not in transformers: its reference is our own (`tests/parity/cogvlm_reference.py` says what it rests on).
Errors are the largest absolute difference of any value, unless a row says what else is counted; a test fails if one is not below its
tolerance. Computed on the CPU, unless a row says wgpu.

| model | what | largest error | tolerance |
|---|---|---|---|
HEAD
sed -n 's/^parity\t\(.*\)\t\(.*\)\t\(.*\)\t\(.*\)$/| \1 | \2 | \3 | \4 |/p' "$rows" | sed 's/ 0\.0e0 | 1e0 |$/ 0 | 1 |/' | sort
