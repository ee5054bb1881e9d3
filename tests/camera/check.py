#!/usr/bin/env python3
"""A camera that comes and goes, is busy, forbidden or stalls, on a machine without one: sightread under v4l2_shim.c.

    tests/camera/check.py PROGRAM SHIM

PROGRAM is the built `sightread`, SHIM the built library; shim.sh builds both.
"""
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "assets" / "samples"
PICTURES = ("receipt.jpg", "letter.jpg", "sign.jpg")
# Nothing takes nearly so long, unless it hangs.
PATIENCE = 60


class Desk:
    """A machine with a camera that does as it is told."""

    def __init__(self, program, shim, folder):
        self.program, self.folder = program, folder
        self.state_file, self.lamp_file = folder / "state", folder / "lamp"
        film = folder / "film.mjpeg"
        # Every third picture is seen: of a film of three that would be the same one again and again.
        film.write_bytes(b"".join((SAMPLES / name).read_bytes() for name in (*PICTURES, PICTURES[0])))
        self.env = dict(os.environ, LD_PRELOAD=str(shim), V4L2_SHIM_FRAMES=str(film), V4L2_SHIM_STATE=str(self.state_file))
        self.state("plugged")

    def state(self, word):
        # Replaced in one go: it is read at any time.
        new = self.folder / "new"
        new.write_text(word)
        new.rename(self.state_file)

    def start(self, *arguments, **env):
        command = [self.program, "cameras", *map(str, arguments)]
        return subprocess.Popen(command, env=dict(self.env, **env), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *arguments, ok=True, **env):
        program = self.start(*arguments, **env)
        text, _ = program.communicate(timeout=PATIENCE)
        assert (program.returncode == 0) == ok, text
        return text


def wait_for(program, words):
    """Reads what the program prints until the words come."""
    seen = ""
    for line in program.stdout:
        seen += line
        if words in line:
            return
    raise AssertionError(f"no “{words}” in:\n{seen}")


def size_of_jpeg(path):
    data, at = path.read_bytes(), 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    height, width = struct.unpack(">HH", data[at + 5 : at + 9])
    return width, height


def pixel_of_bmp(path, x, y):
    data = path.read_bytes()
    start, _, width, height, _, bits = struct.unpack("<IIiiHH", data[10:30])
    step = bits // 8
    row = (width * step + 3) // 4 * 4
    at = start + (height - 1 - y) * row + x * step
    return tuple(reversed(data[at : at + 3]))


def lists(desk):
    assert desk.run() == 'Test camera: --source "camera:Test camera"\n'


def streams(desk):
    for source in ("auto", "camera:Test camera", "camera:/dev/video0", "camera:test"):
        text = desk.run("--source", source, "--frames", 20)
        assert "Test camera, without a lamp" in text, text
        width, height = size_of_jpeg(SAMPLES / PICTURES[0])
        assert f"{width} by {height} pixels" in text, text
    rate = float(text.split()[-3])
    print(f"  {rate} pictures a second")
    assert 3 < rate < 11, text
    assert "the camera phone is not there" in desk.run("--source", "camera:phone", "--frames", 1, "--wait", 1, ok=False)


def converts(desk):
    """An uncompressed picture keeps its colours: left half red, right half white."""
    width, height = 640, 480
    raw = desk.folder / "raw"
    saved = desk.folder / "saved.bmp"
    row = bytes((81, 90, 81, 240)) * (width // 4) + bytes((235, 128, 235, 128)) * (width // 4)
    planes = (bytes((81,)) * (width // 2) + bytes((235,)) * (width // 2), bytes((90, 240)) * (width // 4) + bytes((128, 128)) * (width // 4))
    for format, picture in (("YUYV", row * height), ("NV12", planes[0] * height + planes[1] * (height // 2))):
        raw.write_bytes(picture)
        env = {"V4L2_SHIM_FRAMES": str(raw), "V4L2_SHIM_FORMAT": format, "V4L2_SHIM_SIZE": f"{width}x{height}"}
        desk.run("--source", "auto", "--frames", 2, "--save", saved, **env)
        red, white = pixel_of_bmp(saved, 10, 10), pixel_of_bmp(saved, width - 10, height - 10)
        assert red[0] > 250 and max(red[1:]) < 5 and white == (255, 255, 255), (format, red, white)
    # Grey pictures, as infrared cameras give them, are no use.
    assert "there is no camera" in desk.run("--source", "auto", "--wait", 1, ok=False, **dict(env, V4L2_SHIM_FORMAT="GREY"))


def refuses(desk):
    for state, words in (
        ("unplugged", "there is no camera; plug one in"),
        ("denied", 'this program may not use the camera; ask for your account to be put into the group "video"'),
        ("busy", "another program uses the camera; close the other program"),
        ("stalled", "the camera gives no pictures; check its cable"),
    ):
        desk.state(state)
        text = desk.run("--source", "auto", "--wait", 8, ok=False)
        assert text.count("lost: ") == 1 and words in text, (state, text)
    desk.state("unplugged")
    assert "there is no camera" in desk.run(ok=False)
    desk.state("plugged")


def comes_and_goes(desk):
    desk.state("unplugged")
    program = desk.start("--source", "auto", "--frames", 25, "--wait", PATIENCE)
    wait_for(program, "lost: there is no camera")
    desk.state("plugged")
    start = time.monotonic()
    wait_for(program, "Test camera")
    print(f"  found {time.monotonic() - start:.1f} s after it was plugged in")
    desk.state("unplugged")
    start = time.monotonic()
    wait_for(program, "lost: the camera was unplugged")
    print(f"  missed {time.monotonic() - start:.1f} s after it was pulled out")
    desk.state("plugged")
    wait_for(program, "Test camera")
    wait_for(program, "25 pictures")
    assert program.wait(PATIENCE) == 0


def stalls(desk):
    """A driver that hangs neither keeps the program from ending nor from going on when it wakes up."""
    program = desk.start("--source", "auto", "--frames", 100000, "--wait", 12)
    wait_for(program, "pixels")
    desk.state("stalled")
    wait_for(program, "lost: the camera gives no pictures")
    desk.state("plugged")
    wait_for(program, "Test camera")
    desk.state("stalled")
    wait_for(program, "lost: the camera gives no pictures")
    start = time.monotonic()
    assert program.wait(PATIENCE) != 0
    assert time.monotonic() - start < 30
    desk.state("plugged")


def lights(desk):
    program = desk.start("--source", "auto", "--frames", 15, "--torch", V4L2_SHIM_LAMP=str(desk.lamp_file))
    wait_for(program, "pixels")
    end = time.monotonic() + PATIENCE
    # It is empty for a moment while it is written.
    while desk.lamp_file.read_text() != "1":
        assert time.monotonic() < end, "the lamp stays dark"
        time.sleep(0.05)
    wait_for(program, "15 pictures")
    assert program.wait(PATIENCE) == 0
    assert desk.lamp_file.read_text() == "0", "it goes out with the camera"


def costs(desk):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    desk.run("--source", "auto", "--frames", 60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    share = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / (time.monotonic() - start)
    print(f"  {100 * share:.0f} % of a core at ten pictures a second of {' by '.join(map(str, size_of_jpeg(SAMPLES / PICTURES[0])))}")


def main():
    program, shim = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(program, Path(shim).resolve(), Path(folder))
        for check in (lists, streams, converts, refuses, comes_and_goes, stalls, lights, costs):
            print(check.__name__.replace("_", " "), flush=True)
            check(desk)
    print("all is well")


if __name__ == "__main__":
    main()
