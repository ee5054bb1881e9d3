#!/usr/bin/env python3
"""Compares what our Whisper and faster-whisper understand in recordings, and how long they take.

    cargo build --release --example transcribe
    python3 tests/parity/whisper_beside_reference.py MODEL WAV... [--program target/release/examples/transcribe] [--beam 5] [--threads 2] [-- ...]

MODEL is a folder in CTranslate2's format (models/recipes/fetch_whisper.py); every WAV is 16 bit, mono, 16 kHz. What follows `--` goes to
our program (`--full`, `--int8-head`). A text file of the same name as a WAV is taken for what was said, and the word error rates of both
are given. Needs faster-whisper.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel


def samples_of(path):
    with wave.open(str(path)) as sound:
        if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (16_000, 1, 2):
            sys.exit(f"{path} is not 16 bit, mono, 16 kHz")
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")


def ours(arguments, recordings, folder):
    raw = []
    for path, samples in recordings:
        raw.append(folder / f"{path.stem}.raw")
        raw[-1].write_bytes(samples.tobytes())
    command = [arguments.program, arguments.model, "--beam", str(arguments.beam), *arguments.rest, *raw]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines[1:]]


def theirs(arguments, recordings):
    model = WhisperModel(str(arguments.model), device="cpu", compute_type="float32", cpu_threads=arguments.threads)
    for _, samples in recordings:
        started = time.perf_counter()
        language = arguments.rest[arguments.rest.index("--language") + 1] if "--language" in arguments.rest else None
        segments, info = model.transcribe(samples.astype(np.float32) / 32768, beam_size=arguments.beam, without_timestamps=True,
                                          condition_on_previous_text=False, language=language)
        segments = list(segments)
        yield {"text": " ".join(s.text.strip() for s in segments), "language": info.language, "total_s": time.perf_counter() - started,
               "avg_logprob": segments[0].avg_logprob if segments else 0.0}


def words(text):
    return re.sub(r"[^\w' ]+", " ", text.lower()).split()


def word_errors(said, understood):
    """Insertions, deletions and substitutions."""
    row = list(range(len(understood) + 1))
    for i, a in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(understood, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--program", default="target/release/examples/transcribe")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    arguments = parser.parse_args(given[:cut])
    arguments.rest = given[cut + 1 :]
    recordings = [(path, samples_of(path)) for path in arguments.recordings]
    with tempfile.TemporaryDirectory() as folder:
        mine = ours(arguments, recordings, Path(folder))
    same, total, errors = 0, 0, [0, 0]
    for (path, _), a, b in zip(recordings, mine, theirs(arguments, recordings)):
        same += a["text"] == b["text"]
        print(f"{path.name}: {'same' if a['text'] == b['text'] else 'DIFFERENT'}, {a['total_s']:.2f} s beside {b['total_s']:.2f} s, "
              f"avg_logprob {a['avg_logprob']:.3f} beside {b['avg_logprob']:.3f}")
        print(f"    ours:   [{a['language']}] {a['text']}\n    theirs: [{b['language']}] {b['text']}")
        if path.with_suffix(".txt").exists():
            said = words(path.with_suffix(".txt").read_text(encoding="utf-8"))
            total += len(said)
            errors = [e + word_errors(said, words(text)) for e, text in zip(errors, (a["text"], b["text"]))]
    print(f"{same} of {len(recordings)} texts are the same")
    if total:
        print(f"word error rate: ours {100 * errors[0] / total:.1f} %, theirs {100 * errors[1] / total:.1f} % of {total} words")


if __name__ == "__main__":
    main()
