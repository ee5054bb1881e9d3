#!/usr/bin/env python3
"""Real sound, end to end: voice, microphone, interruption, and services that die, on a desk without hardware.

    tests/speech/end_to_end.py PROGRAM [STEP …] [--json OUT]

PROGRAM is the built `sightread`. Steps run in order, all of them if none is named, a second time if they fail; every figure is printed.
"""
import json
import statistics
import subprocess
import time
import wave
from pathlib import Path

from desk import RATE, Desk, Program, Recording, cpu_share, idle_share, wait_for, write_wav
from questions import QUESTIONS
from steps import main, note

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "assets" / "samples"
LONG = "This is a rather long sentence that goes on and on, so that there is time to break something while it is spoken."
# Share of a core that the program may use while it waits.
IDLE = 0.05


def flite(text, path, voice="slt"):
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
    return path


def say(desk, program, scratch):
    """Text becomes sound, at the speaker and in a file; a faster voice is faster."""
    with Recording(desk) as recording:
        durations = []
        for rate in ("0", "60"):
            start = time.monotonic()
            subprocess.run([program, "say", LONG, "--rate", rate], env=desk.env, check=True, stdout=subprocess.DEVNULL)
            time.sleep(0.3)
            loud = recording.loud(after=start)
            assert loud, "nothing was heard"
            durations.append(loud[-1] - loud[0])
            note(f"seconds to the first sound at rate {rate}", loud[0] - start)
        note("seconds of speech at rate 0 and 60", " and ".join(f"{d:.2f}" for d in durations))
        assert 3 < durations[0] < 15 and durations[1] < 0.8 * durations[0]
    file = scratch / "said.wav"
    subprocess.run([program, "say", "Hello there", "--output", file], env=desk.env, check=True)
    with wave.open(str(file)) as sound:
        assert sound.getnframes() > sound.getframerate() / 2


def voices(desk, program, scratch):
    """Voices are listed; a chosen one sounds otherwise and does not delay the first word; a missing one is told and replaced."""
    start = time.monotonic()
    out = subprocess.run([program, "voices", "--language", "en", "--json"], env=desk.env, capture_output=True, text=True, check=True)
    note("seconds until the voices are listed", time.monotonic() - start)
    english = [json.loads(line) for line in out.stdout.splitlines()]
    assert {"name": "English (Scotland)", "language": "en-GB-SCOTLAND"} in english, english
    assert all(voice["language"].startswith("en") and "+" not in voice["name"] for voice in english), english
    spoken, first, told = {}, {}, {}
    choices = {"the system's own": [], "a German": ["--voice", "German"], "any German": ["--language", "de-AT"],
               "a missing": ["--voice", "Zoe"]}
    with Recording(desk) as recording:
        for name, choice in choices.items():
            start = time.monotonic()
            said = subprocess.run([program, "say", LONG, *choice], env=desk.env, capture_output=True, text=True, check=True)
            time.sleep(0.3)
            loud = recording.loud(after=start)
            assert loud, f"{name} voice was not heard"
            first[name], spoken[name], told[name] = loud[0] - start, loud[-1] - loud[0], said.stderr
    note("seconds of speech", " ".join(f"{name}: {seconds:.2f}" for name, seconds in spoken.items()))
    note("seconds to the first sound", " ".join(f"{name}: {seconds:.2f}" for name, seconds in first.items()))
    own = spoken["the system's own"]
    # A German reads English slowly: 7.3 s instead of 6.1 s.
    assert spoken["a German"] > 1.1 * own and spoken["any German"] > 1.1 * own
    assert abs(spoken["a missing"] - own) < 0.05 * own
    assert "There is no voice called Zoe" in told["a missing"] and not told["a German"] and not told["any German"], told


def doctor(desk, program, scratch):
    """Microphone, speaker and voice are found, and their absence is told in time."""
    out = subprocess.run([program, "doctor"], env=desk.env, capture_output=True, text=True, check=False).stdout
    for what in ("Loudspeaker", "Voice"):
        assert f"{what}: " in out and f"{what}: PROBLEM" not in out, out
    assert "Microphone: PROBLEM: the microphone hears nothing at all" in out, out  # a virtual room is silent
    nothing = dict(desk.env, PULSE_SERVER="unix:/nowhere", SPEECHD_ADDRESS="unix_socket:/nowhere")
    start = time.monotonic()
    out = subprocess.run([program, "doctor"], env=nothing, capture_output=True, text=True, check=False).stdout
    note("seconds of doctor where nothing is there", time.monotonic() - start)
    for what in ("Microphone", "Loudspeaker", "Voice"):
        assert f"{what}: PROBLEM" in out, out


def microphone(desk, program, scratch):
    """Questions are cut out of silence; the sound server dies and comes back; waiting costs nothing."""
    question = flite("What is the total on the receipt?", scratch / "question.wav")
    with wave.open(str(question)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    with Program(desk, program, "microphone", "--save", scratch / "heard") as heard:
        heard.wait("listening")
        late = []
        for _ in range(3):
            time.sleep(0.5)
            start = time.monotonic()
            desk.play(question)
            told = heard.wait("of speech", after=start)
            late.append(told - (start + seconds))
        note("seconds from the last word to its being noticed", statistics.median(late))
        lengths = [float(line.split(": ")[1].split()[0]) for _, line in heard.lines if "of speech" in line]
        assert len(lengths) == 3 and all(abs(length - seconds) < 0.6 for length in lengths), (lengths, seconds)
        waiting = cpu_share(heard.process.pid, 5)
        note("share of a core while listening to silence", waiting)
        assert waiting <= IDLE
        killed = time.monotonic()
        desk.kill_sound()
        note("seconds until the loss is told", heard.wait("lost", after=killed) - killed)
        share = cpu_share(heard.process.pid, 6)
        note("share of a core without a sound server", share)
        assert share <= IDLE
        started = time.monotonic()
        desk.start_sound()
        note("seconds until it listens again", heard.wait("listening", after=started) - started)
        time.sleep(0.5)
        start = time.monotonic()
        desk.play(question)
        heard.wait("of speech", after=start)
    # The speech service has lost the speaker too.
    desk.kill_speech()
    desk.start_speech()


def barge_in(desk, program, scratch):
    """A key silences the voice at once."""
    with Program(desk, program, "listen", "--photo", SAMPLES / "letter.jpg") as assistant, Recording(desk) as recording:
        assistant.wait("Millbrook", seconds=60)
        late = []
        for _ in range(10):
            start = assistant.type("read it")
            wait_for("the voice", lambda: len(recording.loud(after=start + 0.3)) > 60, 30)
            pressed = assistant.type("")
            time.sleep(1.2)
            late.append(max(recording.loud(after=pressed), default=pressed) - pressed)
        note("barge-in: median of 10, seconds", statistics.median(late))
        note("barge-in: worst of 10, seconds", max(late))
        assert statistics.median(late) <= 0.2, late


def speech_service_dies(desk, program, scratch):
    """Killed in mid sentence and started again: it goes on, says so, and costs nothing meanwhile."""
    with Program(desk, program, "listen", "--photo", SAMPLES / "letter.jpg") as assistant, Recording(desk) as recording:
        assistant.wait("Millbrook", seconds=60)
        begun = time.monotonic()
        wait_for("the voice", lambda: recording.loud(after=begun))
        killed = time.monotonic()
        desk.kill_speech()
        note("seconds until the loss is told", assistant.wait("I cannot speak", after=killed) - killed)
        share = idle_share(assistant.process.pid, 8)
        note("share of a core without a speech service", share)
        assert share <= IDLE
        typed = assistant.type("what colour is it")
        assistant.wait("It is ", after=typed)  # in writing
        restarted = time.monotonic()
        desk.start_speech()
        note("seconds until the voice is back", assistant.wait("The voice is back", after=restarted) - restarted)
        wait_for("the voice", lambda: recording.loud(after=restarted))
        typed = assistant.type("next line")
        wait_for("the voice", lambda: recording.loud(after=typed + 0.2))


def sound_server_dies(desk, program, scratch):
    """Killed in mid sentence and started again: it goes on and says so."""
    with Program(desk, program, "listen", "--photo", SAMPLES / "letter.jpg") as assistant:
        assistant.wait("Millbrook", seconds=60)
        time.sleep(0.5)
        killed = time.monotonic()
        desk.kill_sound()
        share = idle_share(assistant.process.pid, 8)
        note("share of a core without a sound server", share)
        assert share <= IDLE
        note("seconds until the loss is told", assistant.wait("I cannot speak", after=killed, seconds=60) - killed)
        desk.start_sound()
        # speech-dispatcher 0.11 dies with the sound server, or stays mute; on a desktop it is spawned again.
        desk.kill_speech()
        desk.start_speech()
        restarted = time.monotonic()
        back = assistant.wait("The voice is back", after=killed, seconds=60)
        note("seconds until the voice is back", back - restarted)
        with Recording(desk) as recording:
            typed = assistant.type("next line")
            wait_for("the voice", lambda: recording.loud(after=typed + 0.2))


def questions(desk, program, scratch):
    """Questions spoken by flite into the microphone; the answers, recorded and transcribed, hold the expected words."""
    right, first_words = 0, []
    for number, (photo, question, expected, voice) in enumerate(QUESTIONS):
        spoken = flite(question, scratch / "question.wav", voice)
        with wave.open(str(spoken)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
        # At the pace at which Whisper understands espeak-ng best.
        listen = Program(desk, program, "listen", "--photo", SAMPLES / photo, "--rate", "-15")
        with listen as assistant, Recording(desk) as recording:
            # The reading is cut short; the cue says that it listens.
            wait_for("the first row", lambda: assistant.lines, 60)
            assistant.type("")
            assistant.wait("Listening", seconds=60)
            time.sleep(1.5)
            start = time.monotonic()
            desk.play(spoken)
            heard = assistant.wait("> ", after=start, seconds=30)
            understood = next(line for when, line in assistant.lines if when == heard)
            wait_for("an answer", lambda: recording.loud(after=heard), 30)
            first_words.append(recording.loud(after=start + seconds)[0] - (start + seconds))
            wait_for("its end", lambda: time.monotonic() - recording.loud(after=heard)[-1] > 1.5, 60)
            answer = write_wav(scratch / f"answer{number}.wav", recording.samples(after=heard))
        text = subprocess.run([program, "transcribe", answer], capture_output=True, text=True, check=True).stdout
        good = any(words(option) in words(text) for option in expected)
        right += good
        print(f"  {'right' if good else 'WRONG'}: {question} ({understood.strip()}) -> {text.strip()}", flush=True)
    note("questions answered rightly", f"{right} of {len(QUESTIONS)}")
    quarters = statistics.quantiles(first_words, n=4)
    note("seconds from end of speech to the first word: fastest, quarters, slowest",
         " ".join(f"{seconds:.2f}" for seconds in (min(first_words), *quarters, max(first_words))))
    assert right >= 0.9 * len(QUESTIONS)


def words(text):
    """Letters and digits only: recognisers differ in how they write what was said."""
    return "".join(c for c in text.lower() if c.isalnum())


STEPS = [say, voices, doctor, microphone, barge_in, speech_service_dies, sound_server_dies, questions]

if __name__ == "__main__":
    main(__doc__, STEPS, Desk)
