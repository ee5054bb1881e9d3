"""Runs in the peer's environment: reads every picture of a folder with RapidOCR as it comes.

    python rapidocr_predict.py FOLDER THREADS        predictions as JSON lines: file, text, seconds
"""
import contextlib
import json
import logging
import sys
import time
from pathlib import Path

from rapidocr import RapidOCR

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}


def main(folder, threads):
    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(sys.stderr):
        reader = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": int(threads), "EngineConfig.onnxruntime.inter_op_num_threads": 1})
    for path in sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in ENDINGS):
        start = time.perf_counter()
        result = reader(path)
        print(json.dumps({"file": path.name, "text": "\n".join(result.txts or ()), "seconds": time.perf_counter() - start}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
