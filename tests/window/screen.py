"""A screen without a monitor, with keys, pictures and the accessibility bus: what a window needs to be tried out."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "speech"))
from desk import wait_for  # noqa: E402

# Where Debian installs pyatspi; another Python does not have it.
SYSTEM_PYTHON = "/usr/bin/python3"
A11Y = ["--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus", "--method"]


class Screen:
    """A display and a session bus on which accessibility is switched on; a context manager.

    With sound if it is given a `desk.Desk`. Programs are started with `screen.env`; a `desk.Program` takes a screen for a desk.
    """

    def __init__(self, desk=None, size=(1280, 800)):
        self.desk = desk
        self.size = size
        self.stack = contextlib.ExitStack()
        self.env = dict(desk.env if desk else os.environ)
        if desk is None:
            run = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="screen")))
            (run / "home").mkdir()
            self.env.update(HOME=str(run / "home"), XDG_RUNTIME_DIR=str(run))
        # X11 only, drawn by the processor; no theme or portal of the machine.
        for name in ("WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DBUS_SESSION_BUS_ADDRESS", "AT_SPI_BUS_ADDRESS", "NO_AT_BRIDGE"):
            self.env.pop(name, None)
        self.env.update(LIBGL_ALWAYS_SOFTWARE="1", GTK_A11Y="atspi", GSETTINGS_BACKEND="memory")

    def __enter__(self):
        with contextlib.ExitStack() as starting:
            starting.push(self.stack)
            width, height = self.size
            screen = f"{width}x{height}x24"
            display = self._start("Xvfb", "-screen", "0", screen, "-nolisten", "tcp", "-noreset", "-displayfd", "FD")
            self.env["DISPLAY"] = f":{display}"
            address = self._start("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=FD")
            self.env["DBUS_SESSION_BUS_ADDRESS"] = address
            self._set("IsEnabled", True)
            starting.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _start(self, *command):
        """Starts a service that writes a line about itself to a file descriptor, which stands for "FD"; the line."""
        reading, writing = os.pipe()
        command = [part.replace("FD", str(writing)) for part in command]
        service = subprocess.Popen(command, env=self.env, pass_fds=[writing], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(writing)
        self.stack.callback(_end, service)
        with os.fdopen(reading) as told:
            line = told.readline().strip()
        assert line, f"{command[0]} did not start"
        return line

    def screen_reader(self, runs):
        """Tells all programs that a screen reader runs, or that it ended."""
        self._set("ScreenReaderEnabled", runs)

    def _set(self, name, value):
        value = f"<{str(value).lower()}>"
        set_it = ["gdbus", "call", "--session", *A11Y, "org.freedesktop.DBus.Properties.Set", "org.a11y.Status", name, value]
        subprocess.run(set_it, env=self.env, check=True, stdout=subprocess.DEVNULL)

    def focus(self, title, seconds=30):
        """Waits for the window with this title, and gives it the keyboard; there is no window manager that would."""
        def found():
            search = ["xdotool", "search", "--onlyvisible", "--name", title]
            return subprocess.run(search, env=self.env, capture_output=True, text=True, check=False).stdout.split()
        window = wait_for(f"the window {title!r}", found, seconds)[-1]
        self._xdotool("windowfocus", "--sync", window)
        return window

    def key(self, *keys):
        """Presses keys one after the other: "space", "ctrl+o", "Escape"."""
        self._xdotool("key", "--delay", "60", *keys)

    @contextlib.contextmanager
    def held(self, key):
        """Holds a key during the block."""
        self._xdotool("keydown", key)
        try:
            yield
        finally:
            self._xdotool("keyup", key)

    def type(self, text):
        self._xdotool("type", "--delay", "30", text)

    def click(self, x, y):
        self._xdotool("mousemove", "--sync", str(x), str(y), "click", "1")

    def _xdotool(self, *arguments):
        subprocess.run(["xdotool", *arguments], env=self.env, check=True)

    def picture(self, path):
        """Saves what the screen shows; the path."""
        subprocess.run(["import", "-window", "root", str(path)], env=self.env, check=True)
        return path


class Accessible:
    """A program as a screen reader meets it, by the name that it has on the accessibility bus."""

    def __init__(self, screen, program):
        self.screen = screen
        self.program = program

    def _tool(self, *arguments):
        command = [SYSTEM_PYTHON, str(HERE / "atspi_tool.py"), self.program, *arguments]
        done = subprocess.run(command, env=self.screen.env, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.strip().splitlines()[-1:]
        return [json.loads(line) for line in done.stdout.splitlines()]

    def tree(self):
        """Everything in it in its order: dictionaries of path, role, name, description, states, actions, text, value."""
        return self._tool("tree")

    def find(self, name=None, role=None, seconds=20):
        """The first thing of that name and role, as soon as there is one."""
        def found():
            return next((node for node in self.tree() if name in (None, node["name"]) and role in (None, node["role"])), None)
        return wait_for(f"{role or 'something'} called {name!r}", found, seconds)

    def press(self, name, role=None):
        """Does the first action of the thing of that name, as the screen reader's key does it."""
        self._tool("press", name, *([role] if role else []))

    def focus(self, name, role=None):
        """Gives it the keyboard."""
        self._tool("focus", name, *([role] if role else []))

    def focused(self):
        """What has the keyboard, or None."""
        return next((node for node in self.tree() if "focused" in node["states"]), None)


class Events:
    """What a program tells a screen reader, each with the time at which it came; a context manager.

    Events are dictionaries of type ("object:announcement", "object:state-changed:focused", …), role, name, text, detail.
    """

    def __init__(self, accessible):
        command = [SYSTEM_PYTHON, str(HERE / "atspi_tool.py"), accessible.program, "events"]
        self.process = subprocess.Popen(command, env=accessible.screen.env, stdout=subprocess.PIPE, text=True)
        self.events = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.events.append((time.monotonic(), json.loads(line)))

    def __enter__(self):
        # Its first line says that it listens.
        wait_for("the listener", lambda: self.events)
        return self

    def __exit__(self, *_):
        _end(self.process)

    def announcements(self, after=0.0):
        """Texts that a screen reader was asked to say."""
        return [event["text"] for when, event in list(self.events)
                if when >= after and event["type"].startswith("object:announcement")]

    def wait_announcement(self, text, after=0.0, seconds=20):
        """The first announcement that contains text."""
        def found():
            return next((said for said in self.announcements(after) if text in said), None)
        try:
            return wait_for(f"the announcement {text!r}", found, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; announced were {self.announcements(after)}") from None


def _end(process):
    """Ends a process and what it started, if it leads a group."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
