#!/bin/sh
# Runs the parity tests and prints how far every network is from its reference implementation, as a Markdown table.
set -eu
cd "$(dirname "$0")/../.."
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
cargo test --release --locked --workspace --test '*_parity' -- --nocapture --test-threads 1 >"$rows"
echo '| model | what | largest error | tolerance |'
echo '|---|---|---|---|'
sed -n 's/^parity\t\(.*\)\t\(.*\)\t\(.*\)\t\(.*\)$/| \1 | \2 | \3 | \4 |/p' "$rows" | sort
