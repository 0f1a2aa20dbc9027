"""Small dialogues and reports to be shown on a page, and a reader of that page."""

import re
from html.parser import HTMLParser

from pipeline.core.report import RunReport, summarise
from pipeline.core.report_timing import TimingBasis
from pipeline.core.timing.calibration import Calibration, Moved
from pipeline.core.tokens import tokenize
from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split, Style
from pipeline.domain.licence import Licence
from pipeline.domain.quarantine import Reason, Refusal
from pipeline.domain.scene import Scene
from pipeline.domain.script import AfterWords
from pipeline.domain.span import Span
from pipeline.domain.timeline import (
    AudioFile,
    Dialogue,
    Event,
    Provenance,
    Supervision,
    Timeline,
    Unsaid,
    Voicing,
)
from pipeline.domain.words import TimeSource, Word
from pipeline.io.references import load_reference
from pipeline.io.report_page import (
    PageData,
)

RATE = 8000
WORD = 2000
"""Every word lasts a quarter of a second."""

REFERENCE = load_reference("switchboard")
CALIBRATION = Calibration(
    target=0.05,
    dial=0.4321,
    planned=0.0498,
    lowest=0.0012,
    highest=0.1987,
    undialled=0.0345,
    moved=(Moved(kind="transfer", n=1234, median_s=0.147, dialled_median_s=-0.024),),
)

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \u2028\u2029 <!-- <b> &amp; \"'` {{ 7*7 }}"


def supervision(
    name: str, turn: int, speaker: Speaker, start: int, text: str, meant: str = "", length: int | None = None
) -> Supervision:
    said = [word for word, _, _ in tokenize(text)]
    length = length or WORD * len(said)
    ends = [start + length * (i + 1) // len(said) for i in range(len(said))]
    words = tuple(
        Word(text=word, span=Span(start=a, end=b), source=TimeSource.ENGINE)
        for word, a, b in zip(said, [start, *ends], ends, strict=False)
    )
    span = Span(start=start, end=words[-1].span.end)
    return Supervision(
        supervision_id=name,
        turn=turn,
        speaker=speaker,
        span=span,
        text=text,
        planned_text=meant or text,
        words=words,
        emotion=Emotion.NEUTRAL,
        style=Style.PLAIN,
        clip="0" * 64,
        clip_samples=len(span) + (WORD if meant else 0),
        engine="test-1",
        fade_samples=100 if meant else 0,
        distance=None,
    )


def make_timeline(dialogue_id: str, extra: str = "", scene: Scene = Scene.FOLLOW_UP_QUESTION) -> Timeline:
    """A query, an answer, an interruption that it yields to, a reaction; `extra` in every free text."""
    # As long whatever `extra` is, so that figures do not tell two timelines apart.
    query = supervision("u0", 0, Speaker.USER, 0, f"may I ask {extra}", length=3 * WORD)
    answer = supervision(
        "u1", 1, Speaker.ASSISTANT, query.span.end + 1600, "of course it is", "of course it is known"
    )
    cut_in = supervision("u2", 2, Speaker.USER, answer.span.end - WORD, "wait why")
    reaction = supervision("u3", 3, Speaker.ASSISTANT, cut_in.span.end + 1600, "because of tea")
    speakers = (Speaker.USER, Speaker.ASSISTANT)
    return Timeline(
        dialogue_id=dialogue_id,
        language=Language.EN,
        recipe=Recipe.FULL_DUPLEX,
        scene=scene,
        split=Split.TRAIN,
        topic=f"tea {extra}",
        sampling_rate=RATE,
        num_samples=reaction.span.end + RATE,
        profile="test",
        supervisions=(query, answer, cut_in, reaction),
        events=(
            Event(
                type=EventType.FOLLOW_UP_QUESTION,
                supervision_id="u2",
                initiator=Speaker.USER,
                host="u1",
                effect=FloorEffect.YIELDS,
                anchor=AfterWords(host="u1", words=3),
                onset=cut_in.span.start,
                anchor_at=None,
                yielded_at=answer.span.end,
            ),
        ),
        unsaid=(
            Unsaid(
                utterance_id="u9",
                turn=1,
                speaker=Speaker.ASSISTANT,
                text=f"never said {extra}",
                why="interrupted",
            ),
        ),
        voicing=tuple(
            Voicing(
                speaker=who, voice_id=f"v-{who}{extra}", person=f"p{extra}", gender=Gender.MALE, gain_db=0
            )
            for who in speakers
        ),
        licence=Licence(
            id=f"CC0-1.0{extra}",
            non_commercial=False,
            share_alike=False,
            redistributable=True,
            attribution="",
        ),
        provenance=Provenance(seed_id=f"demo/{extra}", author=(), root_seed=0, stages=()),
    )


def make_dialogue(dialogue_id: str, extra: str = "", scene: Scene = Scene.FOLLOW_UP_QUESTION) -> Dialogue:
    timeline = make_timeline(dialogue_id, extra, scene)
    return Dialogue(
        timeline=timeline,
        audio=AudioFile(
            path=f"audio/{dialogue_id}.flac",
            digest=f"xxh3:{0:032x}",
            num_bytes=1,
            num_samples=timeline.num_samples,
            sampling_rate=RATE,
        ),
    )


def make_report(
    dialogues: tuple[Dialogue, ...],
    extra: str = "",
    calibration: Calibration | None = CALIBRATION,
    spread: tuple[float, float] | None = None,
    profile: str = "reference",
    own_latency: bool = False,
) -> RunReport:
    refusal = Refusal(
        stage=f"seeds{extra}",
        record_id=f"demo:1{extra}",
        reason=Reason.ONE_SPEAKER,
        detail=f"all by A {extra}",
        payload="",
    )
    basis = TimingBasis(f"switchboard{extra}", REFERENCE, profile, calibration, spread, own_latency)
    return summarise(dialogues, (refusal,), basis)


class Outline(HTMLParser):
    """The skeleton of a page: its elements in order with their attribute names, and inline contents."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.inline: dict[str, str] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += attrs
        if tag in ("script", "style"):
            self._open = "data" if ("id", "data") in attrs else tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inline[self._open] = self.inline.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def data(self) -> PageData:
        return PageData.model_validate_json(self.inline["data"])


def page_text(page: str) -> str:
    """What a reader sees of it, white space collapsed."""
    return " ".join(re.sub("<[^>]*>", " ", page.split("<body>")[1].split("<script")[0]).split())
