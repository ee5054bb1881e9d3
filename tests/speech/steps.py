"""Runs the steps of an end-to-end script: PROGRAM [STEP …] [--json OUT]."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

figures = {}


def note(name, value):
    """Prints a figure and keeps it."""
    figures[name] = value
    print(f"  {name}: {value:.3f}" if isinstance(value, float) else f"  {name}: {value}", flush=True)


def passes(step, program, setting):
    """One try of a step, in a setting of its own."""
    with setting() as place, tempfile.TemporaryDirectory() as scratch:
        try:
            step(place, program, Path(scratch))
        except (AssertionError, IndexError, StopIteration, OSError, subprocess.SubprocessError) as error:
            print(f"  FAILED: {error!r}", flush=True)
            return False
    return True


def main(about, steps, setting):
    """Runs the steps that are named on the command line, all if none is; `setting()` is a context manager for each of them."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("steps", nargs="*", choices=[[], *(step.__name__ for step in steps)])
    parser.add_argument("--json", type=Path, help="writes the figures there")
    options = parser.parse_args()
    failed = []
    for step in steps:
        if options.steps and step.__name__ not in options.steps:
            continue
        print(f"{step.__name__}: {step.__doc__}", flush=True)
        # Real time on a machine that may be busy with something else: what fails is tried once more.
        if not any(passes(step, options.program.resolve(), setting) for _ in range(2)):
            failed.append(step.__name__)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
