"""Runs in the peer's environment: quantizes a model with GPTQModel on the CPU.

    python gptqmodel_quantize.py MODEL OUT CALIBRATION.jsonl SEQUENCES SEQ_LEN GROUP_SIZE
"""
import json
import os
import sys

# GPTQModel 7.7 wants two CPU workers and by default starts one on a machine with two cores.
os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")

from gptqmodel import GPTQModel, QuantizeConfig  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402


def main(model, out, calibration, sequences, seq_len, group_size):
    tokenizer = AutoTokenizer.from_pretrained(model)
    with open(calibration, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][: int(sequences)]
    tokens = [tokenizer(text, add_special_tokens=False)["input_ids"][: int(seq_len)] for text in texts]
    config = QuantizeConfig(bits=4, group_size=int(group_size), format="gptq_v2", device="cpu", offload_to_disk=False)
    quantizer = GPTQModel.load(model, config)
    quantizer.quantize([{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in tokens], batch_size=1)
    quantizer.save(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
