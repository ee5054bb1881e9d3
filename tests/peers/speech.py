#!/usr/bin/env python3
"""Word errors and time of our Whisper beside faster-whisper's, on the sentences of models/speech/recipe/sentences.py.

    cargo build --release --workspace --examples
    python3 tests/peers/speech.py OURS THEIRS SENTENCES [--compute-type int8] [--beam 1] [--limit N] [-- --int8-head ...]

OURS is any folder of ours, THEIRS one of CTranslate2 (models/recipes/fetch_whisper.py), SENTENCES a folder with sentences.jsonl. What
follows `--` goes to our program (models/examples/transcribe.rs). The language is given, there are no time stamps, other options are each
program's own. Time and CPU seconds of a recording are those of a process with all recordings less one with the first alone, divided by
their number less one: loading does not count.
"""
import argparse
import json
import sys
import tempfile
import wave
from pathlib import Path

from harness import add_options, mib, need_binary, peer_python, run, threads
from words import word_errors, words

PACKAGES = ["faster-whisper==1.2.1"]
WORKER = Path(__file__).with_name("faster_whisper_transcribe.py")


def raw_samples(path, folder):
    """The samples of a WAV file by themselves; their file and their length in seconds."""
    with wave.open(str(path)) as sound:
        if (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) != (16_000, 1, 2):
            sys.exit(f"{path} is not 16 bit, mono, 16 kHz")
        out = folder / f"{path.stem}.raw"
        out.write_bytes(sound.readframes(sound.getnframes()))
        return out, sound.getnframes() / 16_000


def measure(command, files, environment):
    """Texts, seconds and CPU seconds a recording, and the peak memory."""
    first, all_of_them = (run([*command, *some], **environment) for some in (files[:1], files))
    lines = [json.loads(line) for line in all_of_them.output.splitlines()]
    texts = [line["text"] for line in lines if "text" in line]
    others = max(len(files) - 1, 1)
    return texts, (all_of_them.wall - first.wall) / others, (all_of_them.cpu - first.cpu) / others, all_of_them.peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", type=Path)
    parser.add_argument("theirs", type=Path)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--compute-type", default="int8", help="theirs: int8, float32 (default int8)")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--no-fallback", action="store_true", help="both: the first text counts, whatever it is like")
    parser.add_argument("--silence", action="store_true",
                        help="theirs: 30 s of silence behind the recording, as in OpenAI's program; by itself it pads the spectrogram with zeros")
    parser.add_argument("--limit", type=int)
    add_options(parser, "examples/transcribe")
    given = sys.argv[1:]
    cut = given.index("--") if "--" in given else len(given)
    args = parser.parse_args(given[:cut])
    need_binary(args.binary)
    python = peer_python(args.venv, PACKAGES)
    lines = (args.sentences / "sentences.jsonl").read_text(encoding="utf-8").splitlines()[: args.limit]
    entries = [json.loads(line) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        files, seconds = zip(*(raw_samples(args.sentences / entry["audio"], Path(folder)) for entry in entries))
        environment = threads(args.threads)
        ours = [args.binary, args.ours, "--language", "en", "--beam", args.beam, *given[cut + 1 :]]
        if args.no_fallback:
            ours.append("--no-fallback")
        switches = ["no" if args.no_fallback else "yes", "yes" if args.silence else "no"]
        theirs = [python, WORKER, args.theirs, args.compute_type, args.threads, args.beam, *switches]
        results = {"ours": measure(ours, files, environment), f"faster-whisper {args.compute_type}": measure(theirs, files, environment)}
    said = [words(entry["text"]) for entry in entries]
    total, mean = sum(map(len, said)), sum(seconds) / len(seconds)
    print(f"{len(entries)} recordings of {mean:.1f} s, {total} words, {args.threads} threads, beam {args.beam}")
    for name, (texts, wall, cpu, peak) in results.items():
        errors = sum(word_errors(a, words(b)) for a, b in zip(said, texts, strict=True))
        print(f"{name:24} word error rate {100 * errors / total:5.2f} %  {wall:.3f} s a recording  real-time factor {wall / mean:.3f}  "
              f"{cpu:.3f} CPU s  {mib(peak)}")
    (a, wall, cpu, peak), (b, their_wall, their_cpu, their_peak) = results.values()
    same = sum(words(x) == words(y) for x, y in zip(a, b, strict=True))
    print(f"ours/theirs: time {wall / their_wall:.2f}, CPU {cpu / their_cpu:.2f}, memory {peak / their_peak:.2f}; the same words in {same} of {len(a)}")


if __name__ == "__main__":
    main()
