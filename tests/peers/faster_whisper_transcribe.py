"""Runs in the peer's environment: python faster_whisper_transcribe.py MODEL COMPUTE_TYPE THREADS BEAM FALLBACK SILENCE RAW...

Each RAW holds 16-bit samples, mono, 16 kHz. Prints one JSON object a line."""
import json
import sys

import numpy as np
from faster_whisper import WhisperModel

folder, compute_type, threads, beam, fallback, silence, *files = sys.argv[1:]
# Drawn texts where the most probable one fails a check, as its own default has them.
temperatures = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] if fallback == "yes" else [0.0]
model = WhisperModel(folder, device="cpu", compute_type=compute_type, cpu_threads=int(threads))
for file in files:
    samples = np.fromfile(file, dtype="<i2").astype(np.float32) / 32768
    if silence == "yes":
        samples = np.pad(samples, (0, max(0, 480_000 - len(samples))))
    segments, _ = model.transcribe(samples, beam_size=int(beam), language="en", without_timestamps=True,
                                   condition_on_previous_text=False, temperature=temperatures)
    print(json.dumps({"text": " ".join(segment.text.strip() for segment in segments)}), flush=True)
