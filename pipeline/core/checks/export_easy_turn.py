"""An export for Easy-Turn against what its packer indexes, HumDial's rule for the labels, and its own manifest.

::

    train/en.jsonl         a line per clip ----+
    train/en/clips/*.wav   a file per clip ----+--> the same clips, texts, labels, lengths?
    manifest.jsonl         a row per dialogue -+
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from pipeline.core.checks.export_across import Seen
from pipeline.core.checks.export_balance import Rows
from pipeline.core.checks.export_findings import (
    MANIFEST,
    SIDECARS,
    ExportCode,
    ExportFinding,
    ExportLimits,
    ExportMaterial,
    finding_of,
    manifest_rows,
    missing_sidecars,
    text_lines,
)
from pipeline.core.checks.export_sound import WantedSound, check_sound
from pipeline.core.exports.easy_turn import EasyTurnClip, EasyTurnDialogue, TurnState, category_of
from pipeline.core.exports.manifest import PlacedSpeech
from pipeline.core.mining.timeline import UNTRANSCRIBED
from pipeline.domain.events import EventType
from pipeline.domain.labels import Language, Speaker, Split

_ID = re.compile(r"\d{4}_\d{4}(_add)?")
_KEY = re.compile(r"[a-z_]+_\d{4}_\d{4}(_add)?_[a-z]")
_LINES = re.compile(r"(?:train|dev|test)/(?:zh|en)\.jsonl")
_LABELLED = re.compile(r"(?P<text>.*?)(?P<tag><[^<>]*>)?", re.DOTALL)
_TASK = "<TRANSCRIBE> <BACKCHANNEL> <COMPLETE>"
_LANGUAGES = {"zh": "<CN>", "en": "<EN>"}
_STATES = frozenset(state.value for state in TurnState)
_TEXTS = ("task", "key", "wav", "txt", "lang", "speaker", "emotion", "gender", "state")
_VOCABULARY = {
    "task": frozenset({_TASK}),
    "lang": frozenset(_LANGUAGES.values()),
    "emotion": frozenset({"<NONE>"}),
    "gender": frozenset({"<NONE>", "female", "male"}),
    "state": frozenset({"0"}),
}

Fields = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ReadClip:
    """A line that could be read."""

    path: str
    """Of the JSONL file."""
    wav: str
    txt: str
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    number: int
    key: str | None = None

    def finding(self, code: ExportCode, detail: str) -> ExportFinding:
        return finding_of(code, self.path, self.key, f"line {self.number}: {detail}")


class EasyTurnCheck:
    """The check of one export: iterate over `findings`, then read the tables."""

    def __init__(self, material: ExportMaterial, limits: ExportLimits) -> None:
        self._material = material
        self._limits = limits
        self._seen = Seen(limits)
        self._lines: dict[str, ReadClip] = {}
        """By key."""
        self._named: set[str] = set()
        self._keys: set[str] = set()
        """Of the manifest."""
        self._counts: Counter[tuple[Split, Language, TurnState]] = Counter()
        self.dialogues = 0
        self.duration_s = 0.0

    def findings(self, advance: Callable[[], None]) -> Iterator[ExportFinding]:
        """Everything that is wrong; `advance` is told of every dialogue of the manifest."""
        yield from self._read()
        for row in manifest_rows(text_lines(self._material, MANIFEST), EasyTurnDialogue):
            if isinstance(row, ExportFinding):
                yield row
                continue
            yield from self._dialogue(row)
            advance()
        for key in sorted(self._lines.keys() - self._keys):
            detail = "is not in the manifest; wanted its source and licence there"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, self._lines[key].path, key, detail)
        yield from missing_sidecars(self._material)
        for path in sorted(self._material.paths - SIDECARS - self._named):
            detail = "is named by no line and no manifest; wanted nothing beside what the export is made of"
            yield finding_of(ExportCode.STRAY_FILE, path, None, detail)
        yield from self._seen.repeated()

    def tables(self) -> tuple[Rows, ...]:
        """Clips by label, split and language."""
        groups = sorted({(split, language) for split, language, _ in self._counts})
        head = ("split", "language", *(state.name.lower() for state in TurnState))
        return (
            (
                head,
                *(
                    (split.value, lang.value, *(str(self._counts[split, lang, state]) for state in TurnState))
                    for split, lang in groups
                ),
            ),
        )

    def _read(self) -> Iterator[ExportFinding]:
        for path in sorted(p for p in self._material.paths if _LINES.fullmatch(p)):
            self._named.add(path)
            if self._material.read_text(path) is None:
                yield finding_of(ExportCode.MALFORMED_LINE, path, None, "is not UTF-8; wanted JSON lines")
            for number, text in enumerate(text_lines(self._material, path), start=1):
                item, finding = _parse(_Place(path, number), text)
                if item is None:
                    yield finding
                    continue
                place = _Place(path, number, str(item["key"]))
                yield from _line_findings(place, item)
                if str(item["wav"]) not in self._material.paths:
                    detail = f"names {item['wav']}, which is not there; export the run again"
                    yield place.finding(ExportCode.MISSING_FILE, detail)
                yield from self._keep(place, item)

    def _keep(self, place: _Place, item: Fields) -> Iterator[ExportFinding]:
        key = str(item["key"])
        if key in self._lines:
            detail = f"the key is in {self._lines[key].path} already; keep one"
            yield place.finding(ExportCode.DUPLICATE_ID, detail)
            return
        duration = item.get("duration")
        self._lines[key] = ReadClip(
            place.path,
            str(item["wav"]),
            str(item["txt"]),
            None if duration is None else float(str(duration)),
        )

    def _dialogue(self, row: EasyTurnDialogue) -> Iterator[ExportFinding]:
        self.dialogues += 1
        yield from _place_findings(row)
        yield from self._seen.dialogue(row.export_id, row.dialogue_id, row.split)
        yield from self._seen.text(row.export_id, row.split, (s.text for s in row.supervisions))
        persons = (voice.person for voice in row.voices)
        yield from self._seen.sources(row.export_id, row.split, persons, row.provenance.seed_id)
        yield from _rule_findings(row, self._limits)
        for clip in row.clips:
            self._named.add(clip.path)
            self._keys.add(clip.key)
            self._counts[row.split, row.language, clip.state] += 1
            yield from self._clip(row, clip)
            wanted = WantedSound(clip.path, clip.key, 1, clip.num_samples)
            sound, faults = check_sound(wanted, self._material, self._limits)
            yield from faults
            if sound is not None:
                self.duration_s += sound.num_samples / sound.sampling_rate
                yield from self._seen.audio(clip.path, sound.digest, clip.key, row.split, clip.text)

    def _clip(self, row: EasyTurnDialogue, clip: EasyTurnClip) -> Iterator[ExportFinding]:
        line = self._lines.get(clip.key)
        if line is None:
            detail = f"is in the manifest and not in {row.lines}; export the run again"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, row.lines, clip.key, detail)
            return
        for what, said, known in (
            ("file", line.path, row.lines),
            ("wav", line.wav, clip.path),
            ("txt", line.txt, f"{clip.text}{clip.state.value}"),
        ):
            if said != known:
                detail = f"{what} is {said!r}, the manifest says {known!r}"
                yield finding_of(ExportCode.MANIFEST_DIFFERS, line.path, clip.key, detail)
        known_s = clip.num_samples / self._limits.sampling_rate
        if line.duration_s is not None and abs(line.duration_s - known_s) > self._limits.duration_s:
            detail = f"says {line.duration_s:.4f} s, the manifest {known_s:.4f} s"
            yield finding_of(ExportCode.DURATION_OFF, line.path, clip.key, detail)


def _parse(place: _Place, text: str) -> tuple[dict[str, JsonValue] | None, ExportFinding]:
    """The object of a line with the packer's fields, or what keeps it from being one."""
    try:
        item: JsonValue = json.loads(text)
    except ValueError as error:
        detail = f"is not JSON ({error}); wanted one object per line"
        return None, place.finding(ExportCode.MALFORMED_LINE, detail)
    if not isinstance(item, dict):
        detail = f"holds a {type(item).__name__}; wanted one object per line"
        return None, place.finding(ExportCode.MALFORMED_LINE, detail)
    needed = {*_TEXTS, "extra"}
    missing, beyond = sorted(needed - item.keys()), sorted(item.keys() - needed - {"duration"})
    untyped = [name for name in _TEXTS if name in item and not isinstance(item[name], str)]
    if "extra" in item and not isinstance(item["extra"], dict):
        untyped.append("extra")
    duration = item.get("duration", 0)
    if not isinstance(duration, int | float) or isinstance(duration, bool):
        untyped.append("duration")
    wrong = place.finding(
        ExportCode.WRONG_FIELDS,
        f"missing {', '.join(missing) or 'nothing'}, beyond the layout {', '.join(beyond) or 'nothing'}, of another "
        f"type {', '.join(untyped) or 'nothing'}; wanted texts for {', '.join(_TEXTS)}, an object for extra and "
        "seconds for duration",
    )
    return (None if missing or beyond or untyped else item), wrong


def _line_findings(place: _Place, item: Fields) -> Iterator[ExportFinding]:
    if not _KEY.fullmatch(place.key or ""):
        detail = f"key {place.key!r}; wanted <category>_dddd_dddd_<letter>, without a dot"
        yield place.finding(ExportCode.BAD_ID, detail)
    for name, known in _VOCABULARY.items():
        if item[name] not in known:
            detail = f"{name} {item[name]!r}; wanted {' or '.join(sorted(known))}"
            yield place.finding(ExportCode.UNKNOWN_LABEL, detail)
    if not str(item["speaker"]).isascii():
        detail = f"speaker {item['speaker']!r}; wanted ASCII: its size is counted in characters"
        yield place.finding(ExportCode.UNKNOWN_LABEL, detail)
    lang, wanted = item["lang"], _LANGUAGES[place.path.rpartition("/")[2].removesuffix(".jsonl")]
    if lang in _LANGUAGES.values() and lang != wanted:
        yield place.finding(ExportCode.MISPLACED, f"lang {lang!r} in this file; wanted {wanted!r}")
    yield from _text_findings(place, str(item["txt"]))


def _text_findings(place: _Place, txt: str) -> Iterator[ExportFinding]:
    """A transcript and one label right behind it; `<WAIT>` was dropped by HumDial."""
    match = _LABELLED.fullmatch(txt)
    text, tag = (txt, None) if match is None else (match["text"], match["tag"])
    if tag not in _STATES:
        detail = f"txt ends in {tag or 'no label'}; wanted {', '.join(sorted(_STATES))}"
        yield place.finding(ExportCode.UNKNOWN_TAG, detail)
    elif set(text) & set("<>[]"):
        detail = f"txt {txt!r} has marks beside its label; wanted words"
        yield place.finding(ExportCode.UNKNOWN_TAG, detail)
    elif text != text.strip():
        detail = f"txt {txt!r}; wanted no space around the transcript"
        yield place.finding(ExportCode.UNKNOWN_TAG, detail)
    if not text.strip():
        yield place.finding(ExportCode.EMPTY_TEXT, f"txt is {txt!r}; wanted words")


def _place_findings(row: EasyTurnDialogue) -> Iterator[ExportFinding]:
    if not _ID.fullmatch(row.export_id):
        detail = f"id {row.export_id!r}; wanted dddd_dddd"
        yield finding_of(ExportCode.BAD_ID, MANIFEST, row.export_id, detail)
    root = f"{row.split.value}/{row.language.value}"
    if (row.lines, row.directory) != (f"{root}.jsonl", f"{root}/clips"):
        detail = f"is in {row.lines} and {row.directory}; wanted {root}.jsonl and {root}/clips"
        yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)
    category = category_of(row.recipe, row.scene) or ""
    head = f"{category}_{row.export_id}_"
    others = [clip.key for clip in row.clips if not clip.key.startswith(head)]
    if others:
        detail = f"has clips {', '.join(others)}; wanted keys that begin with {head}"
        yield finding_of(ExportCode.MISPLACED, MANIFEST, row.export_id, detail)


def _rule_findings(row: EasyTurnDialogue, limits: ExportLimits) -> Iterator[ExportFinding]:
    """Clips have the turns, labels and times that HumDial's rule gives them."""
    if row.scene is None:
        wanted = [
            (turn, state) for turn in _user_turns(row) if (state := _by_what_followed(row, turn)) is not None
        ]
    else:
        wanted = [_by_rule(row, turn) for turn in _user_turns(row)]
    got = [(clip.turn, clip.state) for clip in row.clips]
    if got != [(heard[0].turn, state) for heard, state in wanted]:
        whose = "our" if row.scene is None else "HumDial's"
        labels = ", ".join(f"turn {turn} {state.value}" for turn, state in got)
        rule = ", ".join(f"turn {heard[0].turn} {state.value}" for heard, state in wanted)
        detail = f"labels {labels or 'nothing'}; by {whose} rule for its events: {rule or 'nothing'}"
        yield finding_of(ExportCode.UNKNOWN_LABEL, MANIFEST, row.export_id, detail)
        return
    for clip, (heard, _) in zip(row.clips, wanted, strict=True):
        start_s, end_s = heard[0].start_s, max(s.end_s for s in heard)
        words = "".join(s.text for s in heard)
        if _squashed(clip.text) != _squashed(words):
            detail = f"the clip's text is {clip.text!r}; its turn says {words!r}"
            yield finding_of(ExportCode.MANIFEST_DIFFERS, MANIFEST, clip.key, detail)
        if max(abs(clip.start_s - start_s), abs(clip.end_s - end_s)) > limits.duration_s:
            detail = f"is [{clip.start_s}, {clip.end_s}) s; what it says is heard at [{start_s}, {end_s}) s"
            yield finding_of(ExportCode.TIMES_OFF, MANIFEST, clip.key, detail)
        length_s = clip.num_samples / limits.sampling_rate
        if abs(length_s - (clip.end_s - clip.start_s)) > limits.duration_s:
            detail = f"has {clip.num_samples} samples for [{clip.start_s}, {clip.end_s}) s"
            yield finding_of(ExportCode.DURATION_OFF, MANIFEST, clip.key, detail)


def _user_turns(row: EasyTurnDialogue) -> Iterator[tuple[PlacedSpeech, ...]]:
    """What the user says to the assistant, turn by turn."""
    aside = {e.supervision_id for e in row.events if e.type is EventType.SPEECH_DIRECTED_AT_OTHERS}
    users = sorted((s for s in row.supervisions if s.speaker is Speaker.USER), key=lambda s: s.start_s)
    for turn in dict.fromkeys(s.turn for s in users):
        speech = tuple(s for s in users if s.turn == turn)
        if not aside & {s.supervision_id for s in speech}:
            yield speech


def _by_rule(
    row: EasyTurnDialogue, speech: tuple[PlacedSpeech, ...]
) -> tuple[tuple[PlacedSpeech, ...], TurnState]:
    """What of a turn is a clip, up to the first hesitation where there is one, and its label."""
    hesitant = {e.supervision_id for e in row.events if e.type is EventType.HESITATION_PAUSE}
    nods = {e.supervision_id for e in row.events if e.type.is_backchannel}
    cut = next((i for i, s in enumerate(speech) if i and s.supervision_id in hesitant), None)
    heard, state = speech[:cut], TurnState.COMPLETE
    if cut is not None:
        state = TurnState.INCOMPLETE
    elif nods & {s.supervision_id for s in speech}:
        state = TurnState.BACKCHANNEL
    return heard, state


def _by_what_followed(row: EasyTurnDialogue, speech: tuple[PlacedSpeech, ...]) -> TurnState | None:
    """The label of a turn of recorded talk; None where it has no clip."""
    nods = {e.supervision_id for e in row.events if e.type.is_backchannel}
    if any(s.text == UNTRANSCRIBED for s in speech):
        return None
    if nods & {s.supervision_id for s in speech}:
        return TurnState.BACKCHANNEL
    begun = speech[0].start_s
    later = [s for s in row.supervisions if s.start_s > begun and s.turn != speech[0].turn]
    following = min((s for s in later if s.supervision_id not in nods), key=lambda s: s.start_s, default=None)
    if following is None or following.speaker is Speaker.USER:
        return None
    return TurnState.COMPLETE if following.start_s >= max(s.end_s for s in speech) else None


def _squashed(words: str) -> str:
    """Without spaces, of which languages have theirs."""
    return "".join(words.split())
