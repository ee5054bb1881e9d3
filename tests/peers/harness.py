"""What the comparisons share: a Python environment for the peer, and a process timed from outside.

Both sides of a comparison are measured the same way: wall time, CPU seconds and peak resident memory of the whole
process, as the operating system counts them.
"""
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Run:
    """One finished process."""

    wall: float  # seconds
    cpu: float  # seconds, user and system, all threads
    peak: int  # bytes, resident
    output: str  # standard output
    errors: str  # standard error


def run(command, folder=None, **environment):
    """Runs `command` to its end, in `folder` if given. Ends the script, with what the command said, if the command fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err, cwd=folder, env={**os.environ, **environment})
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output, errors = (stream.seek(0) or stream.read().decode("utf-8", "replace") for stream in (out, err))
    if child.returncode != 0:
        print(errors, file=sys.stderr)
        sys.exit(f"exit code {child.returncode} of: {' '.join(map(str, command))}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output, errors)


def threads(count):
    """Environment that keeps the usual thread pools at `count` threads."""
    return {name: str(count) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "SIGHTREAD_THREADS")}


def add_options(parser, command):
    """Options that every comparison has. `command` is our binary's name."""
    parser.add_argument("--venv", type=Path, default=REPOSITORY / "target" / "peers-venv", help="Python environment for the peer; made if missing")
    parser.add_argument("--binary", type=Path, default=REPOSITORY / "target" / "release" / command, help=f"our {command}")
    parser.add_argument("--threads", type=int, default=2, help="threads for either side (default 2)")


def peer_python(venv, packages, source=False, **environment):
    """The Python of `venv` with `packages` ("name==version") in it; installs what is missing or of another version.

    With `source`, the packages are built here instead of taken ready-made; `environment` is for that build.
    """
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    query = "import importlib.metadata as m, sys; sys.exit(any(m.version(n) != v for n, v in (a.split('==') for a in sys.argv[1:])))"
    installed = subprocess.run([python, "-c", query, *packages], stderr=subprocess.DEVNULL, check=False).returncode == 0
    if not installed:
        print("installing", *packages, "into", venv, file=sys.stderr)
        build = [f"--no-binary={','.join(p.split('==')[0] for p in packages)}"] if source else []
        subprocess.run([python, "-m", "pip", "install", *build, *packages], check=True, env={**os.environ, **environment}, stdout=sys.stderr)
    return python


def need_binary(path):
    """Ends the script with what to do if our binary has not been built."""
    if not path.exists():
        sys.exit(f"{path} is missing: cargo build --release --workspace, or say --binary PATH")
    return path


def mib(size):
    """Bytes as a number of MiB."""
    return f"{size / 2**20:,.0f} MiB"
