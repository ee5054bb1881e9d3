"""A desk without hardware: a private PulseAudio with a virtual speaker and a virtual microphone, and a private
speech-dispatcher with espeak-ng on it. Both can be killed and started again."""
import array
import contextlib
import math
import os
import signal
import subprocess
import tempfile
import threading
import time
import wave
from pathlib import Path

RATE = 16000
PULSE = """
load-module module-native-protocol-unix auth-anonymous=1 socket={run}/pulse/native
load-module module-null-sink sink_name=speaker rate=48000 channels=2
load-module module-null-sink sink_name=mic_in rate=48000 channels=1
load-module module-remap-source source_name=mic master=mic_in.monitor
set-default-sink speaker
set-default-source mic
"""
SPEECHD = """
LogLevel 1
LogDir "{run}/log"
DisableAutoSpawn
Timeout 0
AudioOutputMethod "pulse"
AudioPulseDevice "speaker"
AddModule "espeak-ng" "sd_espeak-ng" "espeak-ng.conf"
DefaultModule espeak-ng
DefaultLanguage "en-US"
"""


def wait_for(what, condition, seconds=15):
    """Waits until condition() is true; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


class Desk:
    """Starts both services in a folder of their own; a context manager."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="desk")
        self.run = Path(self.folder.name)
        for name in ("pulse", "speech", "log", "home"):
            (self.run / name).mkdir(mode=0o700)
        (self.run / "pulse.pa").write_text(PULSE.format(run=self.run))
        (self.run / "speech" / "speechd.conf").write_text(SPEECHD.format(run=self.run))
        self.env = dict(
            os.environ,
            HOME=str(self.run / "home"),
            XDG_RUNTIME_DIR=str(self.run),
            PULSE_RUNTIME_PATH=str(self.run / "pulse"),
            PULSE_SERVER=f"unix:{self.run}/pulse/native",
            SPEECHD_ADDRESS=f"unix_socket:{self.run}/speechd.sock",
        )
        self.pulse = self.speechd = None

    def __enter__(self):
        self.start_sound()
        self.start_speech()
        return self

    def __exit__(self, *_):
        self.kill_speech()
        self.kill_sound()
        self.folder.cleanup()

    def start_sound(self):
        command = ["pulseaudio", "-n", "-F", str(self.run / "pulse.pa"), "--exit-idle-time=-1", "--disable-shm=yes",
                   "--use-pid-file=no", "--daemonize=no", "--log-level=0"]
        (self.run / "pulse" / "native").unlink(missing_ok=True)
        self.pulse = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the sound server", lambda: self.command("pactl", "info").returncode == 0)

    def start_speech(self):
        (self.run / "speechd.sock").unlink(missing_ok=True)
        (self.run / "speechd.pid").unlink(missing_ok=True)
        command = ["speech-dispatcher", "-s", "-C", str(self.run / "speech"), "-P", str(self.run / "speechd.pid"),
                   "-S", str(self.run / "speechd.sock"), "-L", str(self.run / "log")]
        self.speechd = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        wait_for("the speech service", (self.run / "speechd.sock").exists)

    def kill_sound(self):
        self.pulse.kill()
        self.pulse.wait()

    def kill_speech(self):
        # With its output modules, which would go on playing. It may be dead already.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.speechd.pid, signal.SIGKILL)
        self.speechd.wait()

    def command(self, *command):
        return subprocess.run(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def play(self, wav):
        """Speaks a WAV file into the microphone; returns when it has been played."""
        subprocess.run(["paplay", "--device=mic_in", str(wav)], env=self.env, check=True)


class Recording:
    """What the speaker plays, with the time at which each piece of it was heard; a context manager."""

    def __init__(self, desk):
        command = ["parec", "-d", "speaker.monitor", "--latency-msec=10", "--format=s16le", f"--rate={RATE}",
                   "--channels=1", "--raw"]
        self.process = subprocess.Popen(command, env=desk.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.pieces = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        # 10 ms at a time.
        while data := self.process.stdout.read(RATE // 100 * 2):
            self.pieces.append((time.monotonic(), data[:len(data) // 2 * 2]))

    def __enter__(self):
        wait_for("the recording", lambda: self.pieces)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def loud(self, after=0.0, before=math.inf):
        """Times of the pieces in which something is heard."""
        return [t for t, data in list(self.pieces) if after <= t < before and loudness(data) > -50]

    def samples(self, after=0.0):
        return b"".join(data for t, data in list(self.pieces) if t >= after)


def loudness(data):
    """Decibels of full scale."""
    samples = array.array("h", data)
    energy = sum(s * s for s in samples) / max(len(samples), 1)
    return 10 * math.log10(energy / 32768**2 + 1e-12)


def cpu_seconds(pid):
    """CPU time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share(pid, seconds):
    """Share of a core that a process uses during the next seconds."""
    before, start = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - start)


def idle_share(pid, seconds):
    """Share of a core that a waiting process uses: of two halves the quieter, as it may still be loading something."""
    return min(cpu_share(pid, seconds / 2) for _ in range(2))


class Program:
    """The program with its lines of output, each with its time; a context manager that ends it."""

    def __init__(self, desk, binary, *arguments):
        self.process = subprocess.Popen([str(binary), *map(str, arguments)], env=desk.env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip("\n")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def type(self, line):
        """Types a line; the time at which it was typed."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return time.monotonic()

    def wait(self, text, after=0.0, seconds=20):
        """The time of the first line after that time that contains text."""
        def found():
            assert self.process.poll() is None or any(text in line for _, line in self.lines), \
                f"the program ended; it said {[line for _, line in self.lines]}"
            return next((t for t, line in self.lines if t >= after and text in line), None)
        try:
            return wait_for(f"{text!r}", found, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {[line for _, line in self.lines]}") from None


def write_wav(path, data):
    """Writes what a recording holds; the path."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(data)
    return path
