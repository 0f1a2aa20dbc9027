"""Every candidate of a recording, classified: who came in on whom, what came of it, and whether it counts."""

from dataclasses import dataclass

from pipeline.core.mining.activity import Talk, overlapping_starts, talk_of
from pipeline.core.mining.candidates import NO_EVIDENCE, Candidate, Evidence
from pipeline.core.mining.comparisons import Comparison, Path, at_least, at_most
from pipeline.core.mining.completeness import Completeness, Transcript
from pipeline.core.mining.lexicon import LEXICONS, is_only_laughter, is_only_noise
from pipeline.core.mining.limits import EventLimits
from pipeline.core.mining.spurts import ListenerRule, Spurt, spurts_of
from pipeline.core.mining.tree import Case, Verdict, case_of, holds_floor, judge
from pipeline.domain.labels import Language
from pipeline.domain.mining import AuditValue, MinedEvent, MinedType, RecordedActivity, RejectCode
from pipeline.domain.span import Span

_WITHOUT_WORDS = 0.9
_UNVERIFIED_CAP = 0.6


def find_events(
    activity: RecordedActivity,
    limits: EventLimits | None = None,
    language: Language | None = None,
    evidence: Evidence = NO_EVIDENCE,
) -> tuple[Candidate, ...]:
    """All candidates of a recording by onset, accepted or not.

    The lexicon of `language` decides on backchannels where the activity has words and `limits.bc_lexicon` lists
    the language; timing does everywhere else. Timbre votes are added by `timbre.with_votes`.
    """
    scene = _scene_of(activity, limits or EventLimits(), language, evidence)
    found = [_overlapping(scene, x, y) for x, y in scene.pairs()]
    found.extend(_in_gaps(scene))
    found.sort(key=lambda c: (c.event.onset, c.event.incumbent, c.event.initiator))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Scene:
    """One recording, ready to be judged."""

    recording_id: str
    limits: EventLimits
    talk: Talk
    spurts: tuple[tuple[Spurt, ...], ...]
    rule: ListenerRule
    transcripts: tuple[Transcript, ...]
    evidence: Evidence

    def pairs(self) -> list[tuple[Spurt, Spurt]]:
        """Incumbent and initiator of every candidate."""
        return [(self.spurts[x][i], self.spurts[y][j]) for x, i, y, j in overlapping_starts(self.talk)]

    def name(self, spurt: Spurt) -> str:
        """Who speaks."""
        return self.talk.names[spurt.speaker]


def _scene_of(
    activity: RecordedActivity, limits: EventLimits, language: Language | None, evidence: Evidence
) -> _Scene:
    talk = talk_of(activity, limits.ipu_gap_s, limits.min_ipu_s)
    lexicon = LEXICONS[language] if language is not None and language in limits.bc_lexicon else None
    asks = lexicon is not None and bool(lexicon.question_endings)
    spurts = []
    for index, speaker in enumerate(activity.speakers):
        others = [w for s in activity.speakers if s is not speaker for w in s.words] if asks else []
        others.sort(key=lambda word: word.span.end)
        spurts.append(spurts_of(talk, index, speaker, language, tuple(others)))
    return _Scene(
        recording_id=activity.recording_id,
        limits=limits,
        talk=talk,
        spurts=tuple(spurts),
        rule=ListenerRule(limits, lexicon),
        transcripts=tuple(Transcript.of(speaker.words) for speaker in activity.speakers),
        evidence=evidence,
    )


def _overlapping(scene: _Scene, x: Spurt, y: Spurt) -> Candidate:
    """Steps 0 to 7 and 9 for one candidate."""
    limits = scene.limits
    case = case_of(scene.talk, x, y, limits.window_s)
    verdict = judge(case, limits, scene.rule, several=len(scene.talk.names) > 2)
    label, rule = verdict.type, verdict.rule
    complete = scene.transcripts[x.speaker].completeness(x.words)
    if label is MinedType.TERMINAL_OVERLAP and complete == "no" and not verdict.context_missing:
        label, rule = MinedType.INTERRUPTION, "7u"
    values = list(_gates(scene, y))
    long_enough = at_least("min_overlap_s", case.overlap_s, limits.min_overlap_s)
    if label is MinedType.BACKCHANNEL and not long_enough.holds and _is_heard(case, limits, verdict):
        label, rule = MinedType.GAP_BACKCHANNEL, "9"
    elif not long_enough.holds:
        values.append(_value(RejectCode.OVERLAP_TOO_SHORT, long_enough))
    short_enough = at_most("max_overlap_s", case.overlap_s, limits.max_overlap_s)
    if not short_enough.holds:
        values.append(_value(RejectCode.OVERLAP_TOO_LONG, short_enough))
    if verdict.context_missing:
        values.append(
            AuditValue(code=RejectCode.CONTEXT_MISSING, value=case.left_s, threshold=limits.context_after_s)
        )
    if label.is_ambiguous:
        values.append(AuditValue(code=RejectCode.EVENT_AMBIGUOUS, value=None, threshold=None))
    return Candidate.of(_event(scene, case, verdict, label, rule, complete), tuple(values))


def _is_heard(case: Case, limits: EventLimits, verdict: Verdict) -> bool:
    """Whether a backchannel is one to X: then a short overlap with X is no reason to drop it."""
    return verdict.path.all_hold(*holds_floor(case, limits))


def _in_gaps(scene: _Scene) -> list[Candidate]:
    """Backchannels that start while nobody speaks: about half of all."""
    found = []
    talk = scene.talk
    speakers = range(len(talk.names))
    for spurt in (spurt for spurts in scene.spurts for spurt in spurts):
        tests = scene.rule.tests(spurt)
        if not all(test.holds for test in tests):
            continue
        if any(talk.holder(s, spurt.start) is not None for s in speakers if s != spurt.speaker):
            continue
        case = _addressed(scene, spurt)
        if case is None:
            continue
        verdict = Verdict(MinedType.GAP_BACKCHANNEL, "gap", _path_of(tests, case, scene.limits))
        event = _event(scene, case, verdict, verdict.type, verdict.rule, "unknown")
        found.append(Candidate.of(event, tuple(_gates(scene, spurt))))
    return found


def _addressed(scene: _Scene, spurt: Spurt) -> Case | None:
    """The case with the speaker who held the floor before, or None; with several, who was alone longest."""
    talk, onset = scene.talk, spurt.start
    window = round(scene.limits.window_s * talk.sampling_rate)
    heard = []
    for other in range(len(talk.names)):
        before = talk.holder_before(other, onset)
        if other != spurt.speaker and before is not None:
            heard.append((talk.solo(other, onset - window, onset), talk.names[other], other, before))
    if not heard:
        return None
    _, _, other, before = max(heard)
    case = case_of(talk, scene.spurts[other][before], spurt, scene.limits.window_s)
    return case if all(test.holds for test in holds_floor(case, scene.limits)) else None


def _path_of(tests: tuple[Comparison, ...], case: Case, limits: EventLimits) -> Path:
    path = Path()
    path.all_hold(*tests, *holds_floor(case, limits))
    return path


def _gates(scene: _Scene, y: Spurt) -> list[AuditValue]:
    """Step 0: what the audio, the diarization or the transcript says against a talkspurt."""
    known = scene.evidence.of(scene.name(y), y.start)
    limits = scene.limits
    values = []
    if scene.name(y) in scene.evidence.unreliable_speakers:
        values.append(AuditValue(code=RejectCode.DIARIZATION_UNRELIABLE, value=None, threshold=None))
    if known.snr_db is not None and known.snr_db < limits.event_snr_min_db:
        values.append(
            AuditValue(code=RejectCode.LOW_SNR, value=known.snr_db, threshold=limits.event_snr_min_db)
        )
    if y.text is not None and is_only_laughter(y.text):
        values.append(AuditValue(code=RejectCode.LAUGHTER_ONLY, value=None, threshold=None))
    if y.text is not None and is_only_noise(y.text):
        values.append(AuditValue(code=RejectCode.NONSPEECH, value=None, threshold=None))
    if limits.words_required and y.text is None:
        values.append(AuditValue(code=RejectCode.TRANSCRIPT_MISSING, value=None, threshold=None))
    return values


def _event(
    scene: _Scene, case: Case, verdict: Verdict, label: MinedType, rule: str, complete: Completeness
) -> MinedEvent:
    x, y = scene.name(case.x), scene.name(case.y)
    by_words = scene.rule.uses_words(case.y)
    lexicon = scene.rule.lexicon
    unverified = by_words and lexicon is not None and not lexicon.verified
    overlap = Span(case.y.start, case.overlap_end) if case.overlap_end > case.y.start else None
    return MinedEvent(
        event_id=f"{scene.recording_id}:{case.y.start}:{x}:{y}",
        type=label,
        initiator=y,
        incumbent=x,
        onset=case.y.start,
        overlap=overlap,
        initiator_span=Span(case.y.start, case.y.end),
        incumbent_span=Span(case.x.start, case.x.end),
        rule=rule,
        confidence=verdict.path.confidence(
            factor=1.0 if by_words else _WITHOUT_WORDS, cap=_UNVERIFIED_CAP if unverified else 1.0
        ),
        margins=verdict.path.narrowest(),
        tags=_tags(scene, case, label, by_words),
        incumbent_complete=complete,
        context=case.context(scene.rule),
    )


def _tags(scene: _Scene, case: Case, label: MinedType, by_words: bool) -> tuple[str, ...]:
    tags = []
    if label in (MinedType.BACKCHANNEL, MinedType.GAP_BACKCHANNEL) and case.y.precedes_turn(scene.limits):
        tags.append("precedes_turn")
    if label is MinedType.FAILED_INTERRUPTION and not by_words:
        tags.append("needs_transcript")
    return tuple(tags)


def _value(code: RejectCode, test: Comparison) -> AuditValue:
    return AuditValue(code=code, value=test.value, threshold=test.threshold)
