"""The fork server that speaks: a process of its own, started by path, importing nothing but the stdlib.

The engine keeps static state from one utterance to the next, so that a repeated call differs, and neither
re-initialising nor re-seeding undoes that. Therefore the engine is initialised once and never used: every
request is served by a forked child, which finds it exactly as the first one did::

    parent --request--> server --fork--> child: seed, voice, parameters, synthesis
           <--reply----        <--pipe--        one reply, then os._exit

A message is a 4-byte big-endian length and JSON; in a reply, PCM16 of `num_bytes` follows it.
The server ends at the end of its input, thus also when its parent was killed, and takes the folder of
links that it reads voices from with it.

Usage: `python -I -S worker.py LIBRARY DATA_FOLDER`
"""

import ctypes
import json
import os
import shutil
import signal
import sys

_SYNCHRONOUS = 2
_PHONEME_EVENTS = 0x1
_DO_NOT_EXIT = 0x8000
_UTF8 = 0x1
_PHONEMES_IN_BRACKETS = 0x100
_WORD, _END, _PHONEME = 1, 5, 7
_PARAMETERS = (("rate_wpm", 1), ("volume", 2), ("pitch", 3), ("pitch_range", 4))


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("phoneme", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Recording:
    """What the engine hands to its callback: PCM, and (kind, code point, sample) per event."""

    def __init__(self) -> None:
        self.pcm = bytearray()
        self.events: list[tuple[str, int, int]] = []
        self.callback = _Callback(self._collect)

    def _collect(
        self, wave: "ctypes._Pointer[ctypes.c_short]", num_samples: int, event: "ctypes._Pointer[_Event]"
    ) -> int:
        if wave and num_samples > 0:
            self.pcm.extend(ctypes.string_at(wave, num_samples * 2))
        index = 0
        while event[index].type:
            entry = event[index]
            kind = _kind(entry.type, entry.id.phoneme)
            if kind is not None:
                self.events.append((kind, entry.text_position - 1, entry.sample))
            index += 1
        return 0


def _kind(event_type: int, phoneme: bytes) -> str | None:
    """Our name for an event, or None for one that is not wanted.

    The phonemes `_:` and `_` are the pause at the end of a clause, an empty name ends the sound as well;
    `_|` only separates Chinese words and is no pause.
    """
    if event_type == _WORD:
        return "word"
    if event_type == _END:
        return "end"
    if event_type == _PHONEME:
        return "pause" if phoneme in (b"", b"_", b"_:") else "phoneme"
    return None


def _set_voice(engine: ctypes.CDLL, data_folder: str, voice: str) -> bool:
    """Whether there is such a voice. The engine itself takes an unknown variant for none, and says nothing."""
    _, _, variant = voice.partition("+")
    if variant and not os.path.isfile(f"{data_folder}/voices/!v/{variant}"):  # noqa: PTH113
        return False
    return not engine.espeak_SetVoiceByName(voice.encode())


def _speak(engine: ctypes.CDLL, data_folder: str, request: dict[str, str | int]) -> bytes:
    """Serve one request; runs in the child."""
    recording = _Recording()
    engine.espeak_ng_SetRandSeed(ctypes.c_long(int(request["seed"])))
    engine.espeak_SetSynthCallback(recording.callback)
    if not _set_voice(engine, data_folder, str(request["voice"])):
        return _message({"error": "unknown voice", "unknown_voice": True})
    for name, number in _PARAMETERS:  # after the voice, which would reset them
        engine.espeak_SetParameter(number, int(request[name]), 0)
    text = str(request["text"]).encode() + b"\0"
    status = engine.espeak_Synth(text, len(text), 0, 1, 0, _UTF8 | _PHONEMES_IN_BRACKETS, None, None)
    status = status or engine.espeak_Synchronize()
    if status:
        return _message({"error": f"the engine answered with status {status}"})
    return _message({"events": recording.events, "num_bytes": len(recording.pcm)}) + bytes(recording.pcm)


def _message(content: dict[str, object]) -> bytes:
    body = json.dumps(content).encode()
    return len(body).to_bytes(4, "big") + body


def _read_exactly(descriptor: int, size: int) -> bytes:
    """`size` bytes, or fewer where the input ended."""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(descriptor, size - len(parts))
        if not part:
            break
        parts.extend(part)
    return bytes(parts)


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _serve_in_child(engine: ctypes.CDLL, data_folder: str, body: bytes, reply_to: int) -> None:
    """Never returns: whatever happens, the child must not go on as a second server."""
    try:
        request = json.loads(body)
        signal.alarm(int(request["deadline_s"]))  # nobody is left to stop it once the parent is gone
        _write(reply_to, _speak(engine, data_folder, request))
    except Exception as error:
        _write(reply_to, _message({"error": repr(error)}))
    finally:
        os._exit(0)


def _answer(engine: ctypes.CDLL, data_folder: str, body: bytes) -> bytes:
    """Fork a child for one request and collect its reply."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        # Held open here, its own read end would let it wait for a reader for ever, and the server's output
        # would hide from the parent that the server died.
        os.close(read_end)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        _serve_in_child(engine, data_folder, body, write_end)
    os.close(write_end)
    reply = bytearray()
    while part := os.read(read_end, 1 << 16):
        reply.extend(part)
    os.close(read_end)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return _message({"error": f"the engine died of signal {number}", "signal": number})
    return bytes(reply) or _message({"error": "the engine ended without a reply"})


def _open(library: str, data_folder: str) -> tuple[ctypes.CDLL, dict[str, object]]:
    """Initialise the engine; the greeting says which one it is."""
    engine = ctypes.CDLL(library)
    engine.espeak_Info.restype = ctypes.c_char_p
    rate_hz = engine.espeak_Initialize(
        _SYNCHRONOUS, 0, os.fsencode(data_folder), _PHONEME_EVENTS | _DO_NOT_EXIT
    )
    if rate_hz <= 0:
        raise OSError(f"espeak_Initialize answered {rate_hz} for data in {data_folder}")
    return engine, {"sampling_rate": rate_hz, "version": engine.espeak_Info(None).decode()}


def main(library: str, data_folder: str) -> None:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        try:
            engine, greeting = _open(library, data_folder)
        except (OSError, AttributeError) as error:
            _write(1, _message({"error": str(error)}))
            return
        _write(1, _message(greeting))
        while len(head := _read_exactly(0, 4)) == 4:
            size = int.from_bytes(head, "big")
            body = _read_exactly(0, size)
            if len(body) < size:
                return
            _write(1, _answer(engine, data_folder, body))
    except BrokenPipeError:
        pass  # the parent is gone: end as at the end of input
    finally:
        shutil.rmtree(os.path.dirname(data_folder), ignore_errors=True)  # noqa: PTH120 - no pathlib: start fast


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
