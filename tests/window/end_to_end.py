#!/usr/bin/env python3
"""Screen, keys and screen reader, end to end, without a monitor.

    tests/window/end_to_end.py PROGRAM [STEP …] [--json OUT]

PROGRAM is the built `sightread`. Steps run in order, all of them if none is named, a second time if they fail; every figure is printed.
"""
import contextlib
import json
import os
import shutil
import subprocess
import time
import types
from pathlib import Path

from screen import SYSTEM_PYTHON, Accessible, Screen
from stream import Stream

from desk import Desk, Program, Recording, wait_for, write_wav  # found through screen
from steps import main, note

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "assets" / "samples"
RECEIPT = f"file:{SAMPLES / 'receipt.jpg'}"
NAME = "sightread"
SCREENS = ["Reader", "History", "Models", "Settings", "Set-up", "Help"]


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
def window(screen, program, scratch, camera="none", arguments=(), **settings):
    """The window with these settings; a program that is also what a screen reader meets."""
    config = scratch / "config"
    config.mkdir(exist_ok=True)
    (config / "settings.json").write_text(json.dumps({"version": 1, "set_up": True, "camera": camera, **settings}))
    place = types.SimpleNamespace(env=dict(screen.env, SIGHTREAD_CONFIG=str(config)))
    with Program(place, program, "window", *arguments) as running:
        screen.focus("Sightread", 60)
        running.seen = Accessible(screen, NAME)
        running.config = config
        try:
            yield running
        except AssertionError as error:
            if running.process.poll() is None:
                raise
            said = [line for _, line in running.lines]
            raise AssertionError(f"{error}; the program ended with {running.process.returncode} and said {said}") from None


def words_on(accessible):
    """All names and texts of the window."""
    return [word for node in accessible.tree() for word in (node["name"], node["text"], node["description"]) if word]


def wait_words(accessible, words, seconds=30):
    """Waits until something in the window contains the words; the seconds it took."""
    start = time.monotonic()
    wait_for(f"{words!r} in the window", lambda: any(words in known for known in words_on(accessible)), seconds)
    return time.monotonic() - start


def pictures(screen, program, scratch):
    """Every screen in every colour and at 100 and 200 %, as pictures to look at (in the folder PICTURES, if it is set)."""
    folder = Path(os.environ.get("PICTURES", scratch / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark", "high_contrast"):
        for scale in (1.0, 2.0):
            with window(screen, program, scratch, RECEIPT, theme=theme, scale=scale, auto_capture=False) as running:
                screen.key("space")
                wait_words(running.seen, "GREENFIELD")
                for number, name in enumerate(SCREENS):
                    screen.key(f"F{number + 2}")
                    time.sleep(1.5)
                    picture = screen.picture(folder / f"{name}-{theme}-{round(100 * scale)}.png")
                    colours = subprocess.run(["identify", "-format", "%k", picture], capture_output=True, text=True, check=True)
                    assert int(colours.stdout) > 20, f"{picture.name} is empty"


def names(screen, program, scratch):
    """Everything that can be pressed has a name, on every screen, and the window has one."""
    with window(screen, program, scratch, RECEIPT) as running:
        running.seen.find("Sightread", "frame")
        count = 0
        for number, _ in enumerate(SCREENS):
            screen.key(f"F{number + 2}")
            time.sleep(1)
            nodes = running.seen.tree()
            nameless = [node for node in nodes if node["actions"] and not node["name"]]
            assert not nameless, nameless
            count += sum(bool(node["actions"]) for node in nodes)
        note("things that can be pressed, on all screens", count)
        assert count > 60


def keyboard(screen, program, scratch):
    """Without a pointer: reads, walks the lines, asks by typing, saves, changes the pace, opens screens, and ends."""
    home = Path(screen.env["HOME"])
    with window(screen, program, scratch, RECEIPT, auto_capture=False, guidance=False) as running, Recording(screen.desk) as recording:
        wait_for("the greeting", lambda: recording.loud(), 20)
        wait_for("its end", lambda: time.monotonic() - recording.loud()[-1] > 2, 30)
        start = time.monotonic()
        screen.key("space")
        wait_for("the voice", lambda: recording.loud(after=start + 0.1), 20)
        note("seconds from the key to the first word of the text", recording.loud(after=start + 0.1)[0] - start)
        wait_words(running.seen, "GREENFIELD")
        screen.key("Escape")
        time.sleep(1)
        start = time.monotonic()
        screen.key("Down", "Down")
        wait_for("the voice", lambda: recording.loud(after=start), 20)
        for key in ("r", "s", "Up", "c", "l", "plus", "minus", "Prior", "Next"):
            start = time.monotonic()
            screen.key(key)
            wait_for(f"the voice after {key}", lambda: recording.loud(after=start + 0.1), 20)
        screen.key("q")
        screen.type("What is the total?")
        screen.key("Return")
        wait_words(running.seen, "20.62")
        screen.key("Escape", "ctrl+s")
        saved = wait_for("the file", lambda: list(home.rglob("*.txt")), 20)
        assert "20.62" in saved[0].read_text()
        for number, name in enumerate(SCREENS):
            screen.key(f"F{number + 2}")
            running.seen.find(name, "heading")
        # Tab reaches every control of a screen, and goes round.
        screen.key("F2")
        reached = set()
        for _ in range(60):
            screen.key("Tab")
            focused = running.seen.focused()
            name = focused and focused["name"]
            if name and name in reached and len(reached) > 10:
                break
            reached.add(name)
        assert {"Read now", "Silence"} <= reached, reached
        screen.key("ctrl+q")
        wait_for("the end", lambda: running.process.poll() is not None, 20)
        assert running.process.returncode == 0
        kept = json.loads((running.config / "settings.json").read_text())
        assert kept["rate"] == 0 and kept["set_up"], kept


def screen_reader_alone(screen, program, scratch):
    """Nothing but what a screen reader can do: reads the sample and asks a question about it by voice."""
    question = scratch / "question.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", "What is the total?", "-o", question], check=True)
    screen.screen_reader(True)
    with window(screen, program, scratch, RECEIPT, auto_capture=False) as running:
        running.seen.find("Read now")
        time.sleep(3)
        running.seen.press("Read now")
        wait_words(running.seen, "GREENFIELD")
        running.seen.press("Silence")
        running.seen.press("Ask aloud")
        time.sleep(0.7)
        screen.desk.play(question)
        time.sleep(0.3)
        running.seen.press("Ask aloud")
        note("seconds from the end of the question to the answer", wait_words(running.seen, "20.62"))
        running.seen.press("Settings")
        running.seen.find("Settings", "heading")


def hands_off(screen, program, scratch):
    """A receipt that is moved into view before an MJPEG stream is guided, captured and read, without a key."""
    film = scratch / "film.mjpeg"
    subprocess.run([SYSTEM_PYTHON, SAMPLES / "moving.py", film], check=True, stdout=subprocess.DEVNULL)
    with Stream(film, 10) as stream, Recording(screen.desk) as recording:
        with window(screen, program, scratch, stream.address, rate=-15) as running:
            hints = set()

            def read():
                known = words_on(running.seen)
                hints.update(hint for hint in ("move right", "closer", "light") for word in known if hint in word.lower())
                return any("GREENFIELD" in word for word in known)

            wait_for("the receipt", read, 90)
            note("hints that were seen", ", ".join(sorted(hints)))
            read_at = time.monotonic()
            wait_for("the voice", lambda: recording.loud(after=read_at), 30)
            time.sleep(25)
        spoken = write_wav(scratch / "spoken.wav", recording.samples())
    text = subprocess.run([program, "transcribe", spoken], capture_output=True, text=True, check=True).stdout
    print(f"  {text.strip()}", flush=True)
    heard = "".join(c for c in text.lower() if c.isalnum())
    # Whisper base does not understand every word of a robotic voice.
    assert sum(word in heard for word in ("market", "bread", "milk")) >= 2 and len(hints) >= 2, (text, hints)
    assert "upsidedown" not in heard, text


def losses(screen, program, scratch):
    """Camera, voice, sound and settings are taken away and given back while it runs: it says so and goes on."""
    film = scratch / "film.mjpeg"
    film.write_bytes(b"".join([(SAMPLES / "no_text.jpg").read_bytes()] * 3))
    stream = Stream(film, 10)
    with stream, window(screen, program, scratch, stream.address) as running:
        wait_words(running.seen, "Camera: ")
        stream.stop()
        note("seconds until the loss of the camera is told", wait_words(running.seen, "No picture from the camera"))
        stream.start()
        note("seconds until the camera is back", wait_words(running.seen, "Camera: ", 40))

        screen.desk.kill_speech()
        screen.key("l")
        wait_words(running.seen, "cannot speak", 40)
        screen.desk.start_speech()
        wait_for("the voice", lambda: not any("cannot speak" in word for word in words_on(running.seen)), 40)

        screen.desk.kill_sound()
        wait_words(running.seen, "cannot hear", 60)
        screen.desk.start_sound()
        screen.desk.kill_speech()
        screen.desk.start_speech()
        wait_for("the microphone", lambda: not any("cannot hear" in word for word in words_on(running.seen)), 60)

        # A file where the folder was: nothing can be kept.
        shutil.rmtree(running.config)
        running.config.write_text("")
        screen.key("plus")
        wait_words(running.seen, "settings", 30)
        running.config.unlink()
        screen.key("minus")
        wait_for("the settings file", (running.config / "settings.json").exists, 20)
        assert running.process.poll() is None
    (running.config / "settings.json").write_text("{ damaged")
    place = types.SimpleNamespace(env=dict(screen.env, SIGHTREAD_CONFIG=str(running.config)))
    with Program(place, program, "window", "--camera", "none"):
        screen.focus("Sightread", 60)
        wait_words(Accessible(screen, NAME), "set aside")


def no_network(screen, program, scratch):
    """Reads, answers, shows every screen, and connects to nothing but what is on this machine's own sockets."""
    trace = scratch / "trace"
    strace = scratch / "strace.sh"
    strace.write_text(f'#!/bin/sh\nexec strace -f -qq -e trace=connect,sendto,sendmsg -o {trace} {program} "$@"\n')
    strace.chmod(0o755)
    with window(screen, strace, scratch, RECEIPT) as running:
        screen.key("space")
        wait_words(running.seen, "GREENFIELD", 60)
        screen.key("q")
        screen.type("Which shop is it from?")
        screen.key("Return")
        wait_words(running.seen, "Which shop", 60)
        for number, _ in enumerate(SCREENS):
            screen.key(f"F{number + 2}")
            time.sleep(1)
    calls = trace.read_text().splitlines()
    note("connections that were traced", sum("connect(" in call for call in calls))
    abroad = [call for call in calls if "sa_family=AF_INET" in call]
    assert any("connect(" in call for call in calls) and not abroad, abroad[:5]


def soak(screen, program, scratch):
    """A stream that goes on and on (for SOAK seconds, 90 if it is not set): memory does not grow."""
    seconds = float(os.environ.get("SOAK", 90))
    film = scratch / "film.mjpeg"
    subprocess.run([SYSTEM_PYTHON, SAMPLES / "moving.py", film], check=True, stdout=subprocess.DEVNULL)
    with Stream(film, 10) as stream, window(screen, program, scratch, stream.address) as running:
        def resident():
            status = Path(f"/proc/{running.process.pid}/status").read_text()
            return int(status.split("VmRSS:")[1].split()[0]) / 1024
        # Twice through the film: all that is needed once is there then.
        time.sleep(45)
        before, end, most = resident(), time.monotonic() + seconds, 0
        while time.monotonic() < end:
            time.sleep(min(10, seconds))
            assert running.process.poll() is None
            most = max(most, resident())
        note("MiB of memory after 45 s", before)
        note(f"MiB of memory after {seconds:.0f} s more", resident())
        note("most MiB in between", most)
        assert resident() < 1.1 * before + 20


@contextlib.contextmanager
def setting():
    """A screen with sound."""
    with Desk() as desk, Screen(desk) as screen:
        yield screen


STEPS = [screen_reader, pictures, names, keyboard, screen_reader_alone, hands_off, losses, no_network, soak]

if __name__ == "__main__":
    main(__doc__, STEPS, setting)
