#!/usr/bin/env python3
"""What onnxruntime computes for a few small rendered pictures: fixtures/vision.safetensors.

    pip install onnx onnxruntime pillow safetensors
    python make_vision_fixtures.py --wheel rapidocr-3.10.0-py3-none-any.whl

The pictures are stored as RGB bytes, so the Rust side does its own normalisation. The recogniser's logits are cut to the
classes that models/starter/recipe/vision keeps. The tests are in models/src/vision/parity.rs.
"""

import argparse
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image, ImageDraw, ImageFont
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "models/starter/recipe/vision"))
from characters import keep  # noqa: E402
from convert import DETECTOR, LINE_CLASSIFIER, RECOGNIZER  # noqa: E402

DETECTOR_SIZE = (160, 96)
LINES = ["Dose 500 mg", "EXP 09"]


def session(data, softmax_input=False):
    """An onnxruntime session; `softmax_input` asks for what goes into the last softmax."""
    model = onnx.load_from_string(data)
    if softmax_input:
        last = [node for node in model.graph.node if node.op_type == "Softmax"][-1]
        value = onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None)
        model.graph.output.insert(0, value)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options), model


def run(session, pictures):
    """BGR planes, x / 255 * 2 - 1, as rapidocr feeds them."""
    batch = np.stack([p[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 255 * 2 - 1 for p in pictures])
    return session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch)})[0]


def line_picture(text, pad_to=1):
    """Dark text on a light ground, 48 pixels high, width a multiple of `pad_to`."""
    font = ImageFont.load_default(30)
    width = int(font.getlength(text)) + 16
    width = -(-width // pad_to) * pad_to
    picture = Image.new("RGB", (width, 48), (236, 230, 214))
    ImageDraw.Draw(picture).text((8, 5), text, fill=(28, 32, 60), font=font)
    return np.asarray(picture)


def detector_picture():
    picture = Image.new("RGB", DETECTOR_SIZE, (214, 222, 236))
    draw = ImageDraw.Draw(picture)
    draw.text((10, 8), "Milk 1.5%", fill=(20, 20, 30), font=ImageFont.load_default(24))
    draw.text((14, 52), "best before 03/27", fill=(120, 20, 20), font=ImageFont.load_default(15))
    draw.rectangle((120, 40, 150, 90), fill=(60, 90, 60))
    return np.asarray(picture)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, required=True)
    args = parser.parse_args()
    with zipfile.ZipFile(args.wheel) as archive:
        detector, recognizer, classifier = (archive.read(n) for n in (DETECTOR, RECOGNIZER, LINE_CLASSIFIER))

    fixtures = {}
    picture = detector_picture()
    fixtures["detector.picture"] = picture
    fixtures["detector.map"] = run(session(detector)[0], [picture])[0, 0]

    recognize, model = session(recognizer, softmax_input=True)
    characters = next(p.value for p in model.metadata_props if p.key == "character").split("\n") + [" "]
    rows = [0] + [i + 1 for i, c in enumerate(characters) if keep("european")(c)]
    for i, text in enumerate(LINES):
        line = line_picture(text, pad_to=16)
        fixtures[f"recognizer.line{i}"] = line
        fixtures[f"recognizer.logits{i}"] = run(recognize, [line])[0][:, rows]

    classify, _ = session(classifier, softmax_input=True)
    upright = np.asarray(Image.fromarray(line_picture(LINES[0])).resize((192, 48)))
    fixtures["line_classifier.lines"] = np.stack([upright, upright[::-1, ::-1]])
    fixtures["line_classifier.logits"] = run(classify, fixtures["line_classifier.lines"])

    path = HERE / "fixtures/vision.safetensors"
    path.parent.mkdir(exist_ok=True)
    save_file({k: np.ascontiguousarray(v) for k, v in fixtures.items()}, path)
    print({k: v.shape for k, v in fixtures.items()}, f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
