#!/usr/bin/env python3
"""Screen, keys and screen reader, end to end, without a monitor.

    tests/window/end_to_end.py PROGRAM [STEP …] [--json OUT]

PROGRAM is the built `sightread`. Steps run in order, all of them if none is named, a second time if they fail; every figure is printed.
"""
import contextlib
import subprocess

from screen import Screen

from desk import Desk, wait_for  # found through screen
from steps import main, note


def screen_reader(screen, program, scratch):
    """A screen reader is noticed, whether the desktop tells of it or it was started by hand; none is found without a bus."""
    def seen(env):
        out = subprocess.run([program, "doctor"], env=env, capture_output=True, text=True, check=False).stdout
        return next(line for line in out.splitlines() if line.startswith("screen reader: "))
    none, runs = "screen reader: none is known to run", "screen reader: runs"
    assert seen(screen.env) == none
    screen.screen_reader(True)
    assert seen(screen.env) == runs
    screen.screen_reader(False)
    assert seen(screen.env) == none
    with subprocess.Popen(["orca"], env=screen.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as orca:
        wait_for("Orca to be noticed", lambda: seen(screen.env) == runs)
        orca.kill()
    nothing = dict(screen.env, DBUS_SESSION_BUS_ADDRESS="unix:path=/nowhere")
    assert seen(nothing) == none


@contextlib.contextmanager
def setting():
    """A screen with sound."""
    with Desk() as desk, Screen(desk) as screen:
        yield screen


STEPS = [screen_reader]

if __name__ == "__main__":
    main(__doc__, STEPS, setting)
