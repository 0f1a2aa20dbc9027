"""The interactions that dialogues are made of: one table, a closed set."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from pipeline.domain.labels import Language, Speaker
from pipeline.domain.record import Record


class EventType(StrEnum):
    """Planned interactions (closed set): what `EVENTS` defines, and what recorded talk holds beside."""

    # interruptions: the incoming speaker claims the floor
    FOLLOW_UP_QUESTION = "follow_up_question"
    INFORMATION_REQUEST = "information_request"
    CLARIFICATION_REQUEST = "clarification_request"
    REPETITION_REQUEST = "repetition_request"
    DISAGREEMENT = "disagreement"
    DISSATISFACTION = "dissatisfaction"
    CORRECTION = "correction"
    SUPPLEMENT = "supplement"
    COOPERATIVE_COMPLETION = "cooperative_completion"
    TOPIC_SHIFT = "topic_shift"
    URGENCY = "urgency"
    STOP_REQUEST = "stop_request"
    WARNING = "warning"
    INTERRUPTION = "interruption"
    """Of recorded talk only: what it was for is not known. Authors choose one of those above."""
    # backchannels: the listener shows attention and claims nothing
    BACKCHANNEL = "backchannel"
    CONTINUER = "continuer"
    ACKNOWLEDGEMENT = "acknowledgement"
    REACTION = "reaction"
    # neither
    HESITATION_PAUSE = "hesitation_pause"
    THIRD_PARTY_SPEECH = "third_party_speech"
    SPEECH_DIRECTED_AT_OTHERS = "speech_directed_at_others"

    @property
    def is_interruption(self) -> bool:
        """Whether the incoming speaker claims the floor from the one who holds it."""
        return self in _INTERRUPTIONS

    @property
    def is_backchannel(self) -> bool:
        """Whether a listener shows attention without claiming the floor."""
        return self in _BACKCHANNELS


class FloorEffect(StrEnum):
    """What the event does to whoever holds the floor."""

    YIELDS = "yields"
    """The host falls silent a reaction time after the onset; the incoming speaker takes the floor."""
    FINISHES = "finishes"
    """The host says its sentence to the end against the incoming speaker, who then has the floor; what the
    host's turn still held is never said."""
    RESUMES = "resumes"
    """The host falls silent as with `yields`, and comes back to what it was saying in its next turn."""
    CONTINUES = "continues"
    """The host goes on undisturbed; the floor stays where it was."""

    @property
    def takes_floor(self) -> bool:
        """Whether the incoming speaker holds the floor afterwards."""
        return self is not FloorEffect.CONTINUES

    @property
    def cuts_host(self) -> bool:
        """Whether the host breaks off."""
        return self in (FloorEffect.YIELDS, FloorEffect.RESUMES)


EventClass = Literal["interruption", "backchannel", "pause"]


class Example(Record):
    """How it sounds, in one language: `/` marks where the event starts in its host's words."""

    language: Language
    host: str
    said: str
    """What the incoming speaker says; `...` for a silence."""


class EventDefinition(Record):
    """One row of the event table."""

    type: EventType
    initiators: tuple[Speaker, ...] = Field(min_length=1)
    """Who may start it."""
    effects: tuple[FloorEffect, ...] = Field(min_length=1)
    """What it may do to the floor, the commonest first."""
    scene: str | None
    """The scene of HumDial Track 2 that is built around it, if there is one."""
    interact_speech: EventClass | None
    """The event of InteractSpeech's questions that it counts as."""
    definition: str
    examples: tuple[Example, Example]
    """English, Chinese."""


_USER, _ASSISTANT, _OTHER = Speaker.USER, Speaker.ASSISTANT, Speaker.THIRD_PARTY
_YIELDS, _FINISHES = FloorEffect.YIELDS, FloorEffect.FINISHES
_RESUMES, _CONTINUES = FloorEffect.RESUMES, FloorEffect.CONTINUES


def _row(
    event: EventType,
    initiators: tuple[Speaker, ...],
    effects: tuple[FloorEffect, ...],
    scene: str | None,
    asked_as: EventClass | None,
    definition: str,
    en: tuple[str, str],
    zh: tuple[str, str],
) -> EventDefinition:
    examples = (
        Example(language=Language.EN, host=en[0], said=en[1]),
        Example(language=Language.ZH, host=zh[0], said=zh[1]),
    )
    return EventDefinition(
        type=event,
        initiators=initiators,
        effects=effects,
        scene=scene,
        interact_speech=asked_as,
        definition=definition,
        examples=examples,
    )


EVENTS: tuple[EventDefinition, ...] = (
    _row(
        EventType.FOLLOW_UP_QUESTION,
        (_USER,),
        (_YIELDS, _FINISHES),
        "follow_up_question",
        "interruption",
        "Asks further about the very thing that is being said.",
        ("Let the dough rise for five hours, / and judge it by", "Why that long?"),
        ("面团要发五个小时，/ 看它的大小", "为什么要那么久？"),
    ),
    _row(
        EventType.INFORMATION_REQUEST,
        (_USER,),
        (_YIELDS, _FINISHES),
        None,
        "interruption",
        "Asks for a fact that was not on the way: a price, a time, a place, an amount.",
        ("You take the tram to the harbour / and then walk", "How late does it run?"),
        ("你坐电车到码头，/ 然后再走", "末班车是几点？"),
    ),
    _row(
        EventType.CLARIFICATION_REQUEST,
        (_USER, _ASSISTANT),
        (_RESUMES, _YIELDS),
        None,
        "interruption",
        "Did not understand, or sees two readings, and asks which is meant; the host explains and goes on.",
        ("Put it on the second rack, / close the door", "The second from the top or the bottom?"),
        ("放在第二层，/ 把门关好", "从上往下数还是从下往上数？"),
    ),
    _row(
        EventType.REPETITION_REQUEST,
        (_USER,),
        (_YIELDS,),
        "repetition_request",
        "interruption",
        "Missed something and asks to have it said again.",
        ("Use forty grams of salt, / a litre of water", "Sorry, how much salt?"),
        ("放四十克盐，/ 一升水", "等下，盐放多少？"),
    ),
    _row(
        EventType.DISAGREEMENT,
        (_USER,),
        (_YIELDS, _FINISHES),
        None,
        "interruption",
        "Holds another opinion than the one being put forward, and says so.",
        ("The river path is the best one / because", "I don't think so, it's always muddy."),
        ("河边那条路最好走，/ 因为", "我不觉得，那里老是一地泥。"),
    ),
    _row(
        EventType.DISSATISFACTION,
        (_USER,),
        (_YIELDS,),
        "negation_or_dissatisfaction",
        "interruption",
        "Rejects what is being said, or complains about it; the host repairs.",
        ("You could ask a neighbour for help, / or", "No, that's not what I asked."),
        ("你可以请邻居帮忙，/ 或者", "不是，我问的不是这个。"),
    ),
    _row(
        EventType.CORRECTION,
        (_USER, _ASSISTANT),
        (_RESUMES, _YIELDS),
        None,
        "interruption",
        "Puts right something that the host has just got wrong; the host takes it in and goes on.",
        ("Since there are four of you, / book", "Five, actually."),
        ("你们四个人的话，/ 订一张", "是五个人。"),
    ),
    _row(
        EventType.SUPPLEMENT,
        (_USER,),
        (_RESUMES, _YIELDS),
        None,
        "interruption",
        "Adds something that the host should know and could not; the host takes it in and goes on.",
        ("Any garden chair will do, / just", "It has to fold, I've got no shed."),
        ("随便一把椅子都行，/ 只要", "得能折叠，我没地方放。"),
    ),
    _row(
        EventType.COOPERATIVE_COMPLETION,
        (_USER,),
        (_FINISHES, _YIELDS),
        None,
        "interruption",
        "Finishes the host's sentence together with it, showing where it was going.",
        ("And then you leave it to / cool on the rack", "cool on the rack, right."),
        ("然后放在架子上 / 晾凉", "晾凉，对吧。"),
    ),
    _row(
        EventType.TOPIC_SHIFT,
        (_USER,),
        (_YIELDS,),
        "topic_switching",
        "interruption",
        "Turns to another matter; the host follows.",
        ("The second trail is shorter / and", "Hey, what's the time in Lisbon?"),
        ("第二条路近一些，/ 而且", "对了，现在里斯本几点？"),
    ),
    _row(
        EventType.URGENCY,
        (_USER,),
        (_YIELDS,),
        None,
        "interruption",
        "Something cannot wait: the speaker has to go or act, or needs the short version now.",
        ("First sort the papers by year, / then", "Hang on, my pan is smoking!"),
        ("先把文件按年份分好，/ 再", "等等，我锅冒烟了！"),
    ),
    _row(
        EventType.STOP_REQUEST,
        (_USER,),
        (_YIELDS,),
        "silence_or_termination",
        "interruption",
        "Wants silence or an end; the host confirms in a few words.",
        ("Another thing to consider / is", "That's enough, thanks."),
        ("还有一点 / 要考虑", "行了，不用说了。"),
    ),
    _row(
        EventType.WARNING,
        (_ASSISTANT,),
        (_YIELDS,),
        None,
        "interruption",
        "Keeps the speaker from something risky before the sentence is over.",
        ("So I'll just pour the hot oil / down the sink", "Careful, that will block the drain."),
        ("那我就把热油 / 倒进水槽", "小心，那样会堵住下水道。"),
    ),
    _row(
        EventType.BACKCHANNEL,
        (_USER, _ASSISTANT),
        (_CONTINUES,),
        "user_backchannel",
        "backchannel",
        "Shows attention, of whichever of the three kinds below: HumDial's scene does not tell them apart.",
        ("Stir it slowly / until it thickens", "Right."),
        ("慢慢搅，/ 搅到变稠", "对。"),
    ),
    _row(
        EventType.CONTINUER,
        (_USER, _ASSISTANT),
        (_CONTINUES,),
        None,
        "backchannel",
        "Says no more than: I am listening, go on.",
        ("Take the lift to the third floor, / turn left", "Mm-hm."),
        ("坐电梯到三楼，/ 左转", "嗯。"),
    ),
    _row(
        EventType.ACKNOWLEDGEMENT,
        (_USER, _ASSISTANT),
        (_CONTINUES,),
        None,
        "backchannel",
        "Says that it was understood or agreed to.",
        ("The office opens at nine, / so come early", "Okay."),
        ("九点开门，/ 所以早点来", "好的。"),
    ),
    _row(
        EventType.REACTION,
        (_USER, _ASSISTANT),
        (_CONTINUES,),
        None,
        "backchannel",
        "Says how it was taken: surprise, delight, pity.",
        ("They gave me the whole week off, / so", "Oh, wow."),
        ("他们给我放了一整周的假，/ 所以", "真的呀。"),
    ),
    _row(
        EventType.HESITATION_PAUSE,
        (_USER,),
        (_CONTINUES,),
        "pause_handling",
        "pause",
        "The speaker searches for a word inside a turn; the listener waits until it is complete.",
        ("I need a table for / twelve people", "..."),
        ("我想订一张 / 十二个人的桌子", "..."),
    ),
    _row(
        EventType.THIRD_PARTY_SPEECH,
        (_OTHER,),
        (_CONTINUES,),
        "third_party_after",
        None,
        "Somebody else speaks near the user's microphone; nobody in the dialogue is meant.",
        ("The best month is May, / when", "Has anybody seen my keys?"),
        ("五月最合适，/ 那时候", "谁看见我钥匙了？"),
    ),
    _row(
        EventType.SPEECH_DIRECTED_AT_OTHERS,
        (_USER,),
        (_CONTINUES,),
        "directed_at_others",
        None,
        "The user turns to somebody else in the room; the host is not meant and goes on.",
        ("Plant them a hand apart / and", "Mum, close the door, please."),
        ("隔一掌宽种一棵，/ 然后", "妈，把门关一下。"),
    ),
)

_INTERRUPTIONS = frozenset(row.type for row in EVENTS if row.effects[0].takes_floor) | {
    EventType.INTERRUPTION
}
_BACKCHANNELS = frozenset(row.type for row in EVENTS if row.interact_speech == "backchannel")


def event_definition(event: EventType) -> EventDefinition:
    """The table row of one type."""
    return next(row for row in EVENTS if row.type is event)
