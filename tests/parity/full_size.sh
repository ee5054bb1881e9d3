#!/bin/sh
# Compares a SmolVLM of the size of the 256M one, random weights, with transformers: tiles, features, logits, greedy text.
#
#   tests/parity/full_size.sh WORK [PYTHON]
#
# WORK gets the model and what transformers makes of it (half a gigabyte), unless they are there already. PYTHON needs torch,
# transformers, safetensors and Pillow 13.
set -eu
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1"
work=$(cd "$1" && pwd)
python=${2:-python3}
cd "$(dirname "$0")/../.."
[ -e "$work/expected.safetensors" ] || "$python" tests/parity/make_idefics3_fixtures.py --full "$work"
SIGHTREAD_SMOLVLM_RANDOM=$work cargo test --release --locked --workspace --test idefics3_parity -- --ignored --nocapture \
    a_model_of_full_size_equals_that_of_transformers
