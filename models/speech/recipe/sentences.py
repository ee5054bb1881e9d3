#!/usr/bin/env python3
"""Make spoken sentences with known words, to calibrate and to test a speech recogniser.

    python3 models/speech/recipe/sentences.py calibration|test OUT [--count N] [--seed S]

Writes OUT/0000.wav … (16 kHz, mono, 16 bit) and OUT/sentences.jsonl, one JSON object a line with audio, text, voice, speed and noise.
Voices are flite's and espeak-ng's at several speeds; half of the recordings have white noise, pink noise or mains hum behind them. Texts,
voices' settings and noise of the two sets have nothing in common but the voices themselves. Needs the Debian packages flite, espeak-ng and sox.
"""
import argparse
import array
import json
import math
import random
import subprocess
import tempfile
import wave
from pathlib import Path

from texts import choose

RATE = 16_000
# Decibels of speech over noise; None is none.
NOISE = {"calibration": [None, None, 25, 15], "test": [None, None, 20, 10]}
# Relative to each engine's usual speed.
SPEEDS = {"calibration": [0.9, 1.0, 1.15], "test": [0.85, 1.0, 1.2]}
VOICES = [("flite", voice) for voice in ("slt", "awb", "rms", "kal16")] + [
    ("espeak-ng", voice) for voice in ("en-us", "en-gb", "en-us+f2", "en-gb-scotland")
]
DEFAULT_COUNT = {"calibration": 160, "test": 240}


def speak(text, engine, voice, speed, path):
    """Speech at whatever rate the voice has."""
    if engine == "flite":
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={1 / speed:.3f}", "-t", text, "-o", path]
    else:
        command = ["espeak-ng", "-v", voice, "-s", str(round(160 * speed)), "-w", path, text]
    subprocess.run(command, check=True)


def resampled(path, folder):
    out = Path(folder) / "resampled.wav"
    subprocess.run(["sox", "-R", path, "-r", str(RATE), "-c", "1", "-b", "16", out, "norm", "-3", "pad", "0.3", "0.3"], check=True)
    with wave.open(str(out)) as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def noise(kind, length, rng):
    """Samples of about unit power."""
    if kind == "hum":
        return [math.sin(2 * math.pi * 50 * n / RATE) + 0.7 * math.sin(2 * math.pi * 150 * n / RATE + 1) for n in range(length)]
    white = [rng.gauss(0, 1) for _ in range(length)]
    if kind == "white":
        return white
    slow, fast, out = 0.0, 0.0, []
    for value in white:  # two poles: close enough to pink between 100 Hz and 4 kHz
        slow, fast = 0.985 * slow + 0.12 * value, 0.80 * fast + 0.35 * value
        out.append(slow + fast + 0.2 * value)
    return out


def with_noise(samples, snr_db, kind, rng):
    if snr_db is None:
        return samples
    behind = noise(kind, len(samples), rng)
    power = lambda values: sum(v * v for v in values) / len(values)
    gain = math.sqrt(power(samples) / power(behind) / 10 ** (snr_db / 10))
    return array.array("h", (max(-32_768, min(32_767, round(s + gain * n))) for s, n in zip(samples, behind)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=["calibration", "test"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"{options.set} sound {options.seed}")
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, text in enumerate(choose(options.set, options.count or DEFAULT_COUNT[options.set], options.seed)):
            engine, voice = VOICES[number % len(VOICES)]
            speed = rng.choice(SPEEDS[options.set])
            snr_db = rng.choice(NOISE[options.set])
            kind = rng.choice(["white", "pink", "hum"])
            spoken = Path(scratch) / "spoken.wav"
            speak(text, engine, voice, speed, str(spoken))
            samples = with_noise(resampled(spoken, scratch), snr_db, kind, rng)
            audio = f"{number:04}.wav"
            with wave.open(str(options.out / audio), "wb") as sound:
                sound.setparams((1, 2, RATE, 0, "NONE", ""))
                sound.writeframes(samples.tobytes())
            noise_kind = kind if snr_db is not None else None
            lines.append({"audio": audio, "text": text, "voice": f"{engine} {voice}", "speed": speed, "snr_db": snr_db, "noise": noise_kind})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (options.out / "sentences.jsonl").write_text(text, encoding="utf-8")
    print(f"{len(lines)} recordings in {options.out}")


if __name__ == "__main__":
    main()
