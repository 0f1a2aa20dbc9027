"""Two runs side by side: how much of what was planned became a dialogue, how good, how varied, at what price.

    material of a run -> survey -> |
                                   | -> compare -> Comparison
    material of a run -> survey -> |

Scores include those of scripts that the judge turned down: without them every run would look good enough.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field

from pipeline.core.diversity import Diversity, Document, Sample, compare_diversity, spoken_turns
from pipeline.core.event_rates import floor_turns
from pipeline.core.intervals import (
    Estimate,
    Share,
    difference_of_means,
    difference_of_shares,
    mean_of,
    share_of,
)
from pipeline.core.ledger import Ledger
from pipeline.domain.labels import Language, Recipe
from pipeline.domain.quarantine import Refusal
from pipeline.domain.record import Record
from pipeline.domain.script import AxisScore, Script

COMMONEST = 5
"""Frames that are shown."""
SCORING = frozenset({"review", "rubric_trajectory", "rubric_reasoning", "rubric_empathy"})
"""Steps in which a judge gives scores, a `{reason, score}` per axis."""
JUDGING = SCORING | {"emotion_judge"}
"""All steps that a judge answers."""


class AxisSummary(Record):
    """What the judge gave on one axis."""

    axis: str
    dialogues: int = Field(gt=0)
    mean: Estimate
    good_enough: Share
    """At or above the run's `script.review.min_score`."""


class Spending(Record):
    """What a paid author took, by the run's ledger."""

    requests: int
    retries: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    unmetered: int
    """Replies without a count: they are missing in the tokens and in the cost."""
    currency: str | None
    cost: float | None
    """None without a price table."""
    cost_per_accepted: float | None
    cost_per_audio_h: float | None


class FrameShare(Record):
    """One sentence frame, and the share of its language's dialogues that use it."""

    frame: str
    dialogues: int
    share: float


class Frames(Record):
    """The sentence frames of an author that composes from frames."""

    different: int
    commonest: tuple[FrameShare, ...]


class RunSide(Record):
    """One of the two runs."""

    run: str
    recipe: Recipe
    prompting: str
    root_seed: int
    authors: tuple[str, ...]
    """Models that wrote, as their servers call them."""
    judges: tuple[str, ...]
    prompts: tuple[str, ...]
    """`<stage>/<name>.v<N>`, each with the first digits of its hash."""
    scripts: Share
    """Of the planned dialogues, those with an accepted script."""
    rendered: Share | None
    """Of the planned dialogues, those that came to audio; None for a run without any."""
    refusals: dict[str, int]
    """By `<stage>: <reason>`, in order of stages; those of stage `seeds` were never planned."""
    min_score: int
    judged: tuple[AxisSummary, ...]
    """Empty where nobody judged."""
    unread: int
    """Scripts that the judge turned down and whose scores are not known any more: missing in `judged`."""
    audio_h: float | None
    spending: Spending | None


class Texts(Record):
    """One run's accepted scripts in one language, as far as they are spoken."""

    dialogues: int
    turns_per_dialogue: float
    """Turns that hold the floor."""
    words_per_turn: float
    diversity: Diversity | None
    """None where the other run has nothing in this language to measure equally much of."""
    frames: Frames | None
    """None for a language model."""


class LanguageRow(Record):
    """One language in both runs; None where a run has nothing in it."""

    language: Language
    a: Texts | None
    b: Texts | None


class Comparison(Record):
    """Two runs side by side. Differences are B - A."""

    warnings: tuple[str, ...]
    """What makes figures of the two hard to compare."""
    shared_dialogues: int
    """Planned in both."""
    a: RunSide
    b: RunSide
    scripts: Estimate | None
    rendered: Estimate | None
    judged: dict[str, Estimate]
    """By axis, where both were judged."""
    languages: tuple[LanguageRow, ...]


@dataclass(frozen=True, slots=True)
class Audio:
    """What came to audio."""

    dialogues: int
    hours: float


@dataclass(frozen=True, slots=True)
class RunMaterial:
    """What there is of one run."""

    name: str
    recipe: Recipe
    prompting: str
    root_seed: int
    author: str
    judge: str | None
    """Both as configured; a server may know its models by longer names."""
    min_score: int
    scripts: Iterable[Script]
    refused: frozenset[str]
    """Ids of the dialogues that have none; with those that have one they are all that was planned."""
    refusals: Sequence[Refusal]
    turned_down: Sequence[tuple[AxisScore, ...]]
    """Scores of scripts that the judge refused."""
    unread: int
    audio: Audio | None
    ledger: Ledger | None


@dataclass(slots=True)
class _Tongue:
    """What one language's scripts add up to."""

    dialogues: int = 0
    turns: int = 0
    words: int = 0
    frames: Counter[str] = field(default_factory=Counter)
    sample: Sample = field(default_factory=Sample)

    def add(self, script: Script) -> None:
        self.dialogues += 1
        on_the_floor = floor_turns(script)
        turns = spoken_turns(script)
        self.turns += len(on_the_floor)
        self.words += sum(len(words) for number, words in turns.items() if number in on_the_floor)
        self.frames.update(set(script.frames))
        self.sample.add(script.dialogue_id, tuple(turns.values()))

    def texts(self, diversity: Diversity | None) -> Texts:
        return Texts(
            dialogues=self.dialogues,
            turns_per_dialogue=self.turns / self.dialogues,
            words_per_turn=self.words / self.turns if self.turns else 0.0,
            diversity=diversity,
            frames=_frames(self.frames, self.dialogues) if self.frames else None,
        )


@dataclass(frozen=True, slots=True)
class Survey:
    """One run, counted, with what a comparison needs beside its figures."""

    side: RunSide
    planned: frozenset[str]
    scores: Mapping[str, Counter[int]]
    tongues: Mapping[Language, _Tongue]


def survey(material: RunMaterial) -> Survey:
    """Count one run, in one pass over its scripts."""
    tongues: dict[Language, _Tongue] = {}
    scores: dict[str, Counter[int]] = {}
    authors, judges, prompts = set[str](), set[str](), set[str]()
    accepted: set[str] = set()
    for script in material.scripts:
        accepted.add(script.dialogue_id)
        tongues.setdefault(script.language, _Tongue()).add(script)
        _add_scores(scores, script.review)
        for use in script.author:
            (judges if use.step in JUDGING else authors).add(use.model)
            prompts.add(f"{use.prompt} {use.prompt_sha256[:8]}")
    for given in material.turned_down:
        _add_scores(scores, given)
    audio, planned = material.audio, accepted | material.refused
    side = RunSide(
        run=material.name,
        recipe=material.recipe,
        prompting=material.prompting,
        root_seed=material.root_seed,
        authors=tuple(sorted(authors)) or (material.author,),
        judges=tuple(sorted(judges)) or ((material.judge,) if material.judge else ()),
        prompts=tuple(sorted(prompts)),
        scripts=share_of(len(accepted), len(planned)),
        rendered=None if audio is None else share_of(audio.dialogues, len(planned)),
        refusals=dict(Counter(f"{row.stage}: {row.reason.value}" for row in material.refusals)),
        min_score=material.min_score,
        judged=tuple(_summarise(axis, counts, material.min_score) for axis, counts in scores.items()),
        unread=material.unread,
        audio_h=None if audio is None else audio.hours,
        spending=None if material.ledger is None else _spending(material.ledger, len(accepted), audio),
    )
    return Survey(side=side, planned=frozenset(planned), scores=scores, tongues=tongues)


def compare(a: Survey, b: Survey) -> Comparison:
    """Everything about both, and what differs."""
    shared = len(a.planned & b.planned)
    return Comparison(
        warnings=tuple(_warnings(a, b, shared)),
        shared_dialogues=shared,
        a=a.side,
        b=b.side,
        scripts=difference_of_shares(a.side.scripts, b.side.scripts),
        rendered=difference_of_shares(a.side.rendered, b.side.rendered),
        judged={
            axis: difference_of_means(counts, b.scores[axis])
            for axis, counts in a.scores.items()
            if axis in b.scores
        },
        languages=tuple(
            _language_row(language, a.tongues.get(language), b.tongues.get(language))
            for language in Language
            if language in a.tongues or language in b.tongues
        ),
    )


def _warnings(a: Survey, b: Survey, shared: int) -> Iterator[str]:
    one, other = a.side, b.side
    if one.recipe is not other.recipe:
        yield f"recipes differ: {one.recipe.value} and {other.recipe.value}"
    tongues = [", ".join(sorted(side.tongues)) or "none" for side in (a, b)]
    if tongues[0] != tongues[1]:
        yield f"languages differ: {tongues[0]} and {tongues[1]}"
    if one.root_seed != other.root_seed:
        yield f"root seeds differ ({one.root_seed} and {other.root_seed}): scenes and events are drawn anew"
    if not shared == len(a.planned) == len(b.planned):
        yield f"other dialogues: A planned {len(a.planned)}, B {len(b.planned)}, {shared} of them are the same"
    if one.judged and other.judged and (one.judges, one.min_score) != (other.judges, other.min_score):
        yield (
            f"judged differently: by {', '.join(one.judges)} (wanted {one.min_score}) and by "
            f"{', '.join(other.judges)} (wanted {other.min_score})"
        )
    if bool(one.judged) != bool(other.judged):
        yield f"only {'A' if one.judged else 'B'} was judged: nobody could turn the other one's scripts down"
    for name, side in (("A", one), ("B", other)):
        if side.unread:
            yield (
                f"{name}: {side.unread} scripts that the judge turned down have no stored review; their scores are "
                "missing, and what is there looks better than it was"
            )


def _add_scores(scores: dict[str, Counter[int]], given: Iterable[AxisScore]) -> None:
    for one in given:
        scores.setdefault(one.axis, Counter())[one.score] += 1


def _summarise(axis: str, counts: Counter[int], min_score: int) -> AxisSummary:
    good = sum(count for score, count in counts.items() if score >= min_score)
    return AxisSummary(
        axis=axis,
        dialogues=counts.total(),
        mean=mean_of(counts),
        good_enough=share_of(good, counts.total()),
    )


def _spending(ledger: Ledger, accepted: int, audio: Audio | None) -> Spending:
    total = ledger.total
    hours = 0.0 if audio is None else audio.hours
    return Spending(
        requests=total.requests,
        retries=total.retries,
        prompt_tokens=total.prompt_tokens,
        cached_tokens=total.cached_tokens,
        completion_tokens=total.completion_tokens,
        unmetered=total.unmetered,
        currency=ledger.currency,
        cost=total.cost,
        cost_per_accepted=total.cost / accepted if total.cost is not None and accepted else None,
        cost_per_audio_h=total.cost / hours if total.cost is not None and hours else None,
    )


def _frames(dialogues_by_frame: Counter[str], dialogues: int) -> Frames:
    # By number, then name: most_common alone would leave ties in the order of a set.
    ordered = sorted(dialogues_by_frame.items(), key=lambda item: (-item[1], item[0]))
    return Frames(
        different=len(ordered),
        commonest=tuple(
            FrameShare(frame=frame, dialogues=count, share=count / dialogues)
            for frame, count in ordered[:COMMONEST]
        ),
    )


def _language_row(language: Language, a: _Tongue | None, b: _Tongue | None) -> LanguageRow:
    of_a: Diversity | None = None
    of_b: Diversity | None = None
    if a is not None and b is not None:
        of_a, of_b = compare_diversity(_documents(a), _documents(b))
    return LanguageRow(
        language=language,
        a=None if a is None else a.texts(of_a),
        b=None if b is None else b.texts(of_b),
    )


def _documents(tongue: _Tongue) -> tuple[Document, ...]:
    return tongue.sample.documents()
