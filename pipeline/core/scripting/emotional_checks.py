"""What an emotional dialogue must not do, checked by code before anybody judges it."""

import re
from collections.abc import Sequence

from pipeline.core.tokens import words_of
from pipeline.domain.emotional import EmotionalTask, Feeling
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Emotion, Language
from pipeline.domain.quarantine import Reason

TURN_WORDS = {Language.EN: (3, 60), Language.ZH: (4, 100)}
"""Words of a user turn. HumDial's last about 2 to 9 s; below half a second its readers drop a turn in silence."""

_NAMES = {
    Language.EN: {
        Emotion.HAPPY: "happy happiness joyful glad delighted",
        Emotion.SAD: "sad sadness unhappy sorrowful depressed",
        Emotion.ANGER: "angry anger furious mad",
        Emotion.FEAR: "afraid fear scared frightened terrified",
        Emotion.SURPRISE: "surprised surprise astonished amazed",
        Emotion.DISGUST: "disgust disgusted disgusting",
    },
    Language.ZH: {
        Emotion.HAPPY: "高兴 开心 快乐 喜悦",
        Emotion.SAD: "难过 伤心 悲伤 悲痛",
        Emotion.ANGER: "生气 愤怒 气愤 恼火",
        Emotion.FEAR: "害怕 恐惧 恐慌",
        Emotion.SURPRISE: "惊讶 吃惊 惊喜",
        Emotion.DISGUST: "恶心 厌恶 反感",
    },
}
_ALSO = {
    Language.EN: {Emotion.NEUTRAL: "neutral calm even composed settled steady"},
    Language.ZH: {
        Emotion.NEUTRAL: "平静 平淡 中性 冷静 平稳 淡定",
        Emotion.ANGER: "怒",
        Emotion.FEAR: "惧 怕",
        Emotion.SURPRISE: "惊",
        Emotion.SAD: "悲 伤",
        Emotion.HAPPY: "喜",
        Emotion.DISGUST: "厌 恶",
    },
}
"""What an answer may call a feeling beside its names."""
_ASKS = {
    EmotionalTask.TRAJECTORY: {
        Language.EN: r"\b(?:feel|feeling|feelings|felt|mood|moods|emotions?|emotional|spirits)\b",
        Language.ZH: r"情绪|心情|感受|心境|心态|感觉",
    },
    EmotionalTask.REASONING: {
        Language.EN: r"\b(?:why|reasons?|cause[sd]?|because|behind|what (?:made|makes|got|set|brought|is it))\b",
        Language.ZH: r"为什么|为何|原因|怎么会|怎么就|因为什么|什么让|缘故|根源|到底是什么|怎么回事",
    },
}
_STOP = frozenset(
    words_of(
        "a about after all and are at be been before but by for from had has have he her him his i in is it its just "
        "me my no not of on or our she so that the their them they this to too us was we were what when which while "
        "who with you your"
    )
)


def check_length(name: str, text: str, language: Language) -> None:
    """Refuse a user turn that is too short to be heard or too long to be one."""
    least, most = TURN_WORDS[language]
    words = len(words_of(text))
    if not least <= words <= most:
        raise RecordError(
            Reason.WRONG_LENGTH, f"{name}, {text[:60]!r}, has {words} words; wanted {least} to {most}"
        )


def check_question(name: str, text: str, task: EmotionalTask, language: Language) -> None:
    """The last turn asks: for the course of the feelings, or for their reason."""
    asks = re.search(_ASKS[task][language], text, re.IGNORECASE)
    if asks is None or not re.search(
        r"[?？]|\b(?:tell|describe|sum|say)\b|[吗呢]|说说|讲讲|总结|告诉", text, re.IGNORECASE
    ):
        wanted = "how the feelings changed" if task is EmotionalTask.TRAJECTORY else "why they came"
        raise RecordError(
            Reason.INVALID_REPLY, f"{name}, {text!r}, does not ask {wanted}; wanted that question"
        )


def check_stations(response: str, feelings: Sequence[Feeling], language: Language) -> None:
    """The answer to the question for the course of the feelings names every one of them: judges compare labels."""
    felt = dict.fromkeys(feeling.emotion for feeling in feelings[:-1])
    for emotion in felt:
        words = (*_NAMES[language].get(emotion, "").split(), *_ALSO[language].get(emotion, "").split())
        if not any(_names(word, response, language) for word in words):
            raise RecordError(
                Reason.INVALID_REPLY,
                f"the last response, {response!r}, does not name {emotion.value}; wanted every feeling named",
            )


def _names(word: str, text: str, language: Language) -> bool:
    pattern = rf"\b{word}\b" if language is Language.EN else word
    return re.search(pattern, text, re.IGNORECASE) is not None


def check_cause(name: str, cause: str, said: str, language: Language) -> None:
    """The cause is in what was said up to there: one of its words at least, or two characters in a row."""
    if language is Language.ZH:
        han = "".join(words_of(cause))
        found = any(han[i : i + 2] in "".join(words_of(said)) for i in range(max(1, len(han) - 1)))
    else:
        content = {_stem(word) for word in words_of(cause.casefold())} - _STOP
        found = not content or bool(content & {_stem(word) for word in words_of(said.casefold())})
    if not found:
        raise RecordError(
            Reason.INVALID_REPLY,
            f"{name} does not speak of its cause, {cause!r}; wanted a hint of it in the words",
        )


def _stem(word: str) -> str:
    """`leaving`, `leaves` and `leave` are one word here; nothing finer is needed."""
    return re.sub(r"(?:ing|ed|es|s|e)$", "", word) if len(word) > 4 else word


def check_names(
    texts: Sequence[str], feelings: Sequence[Feeling], language: Language, *, allowed: int
) -> None:
    """`I am so angry now` is a cliche: how many turns may name their own feeling is bounded."""
    naming = [
        text
        for text, feeling in zip(texts, feelings, strict=True)
        if any(_names(name, text, language) for name in _NAMES[language].get(feeling.emotion, "").split())
    ]
    if len(naming) > allowed:
        raise RecordError(
            Reason.LEAKED_INSTRUCTION,
            f"{naming[0]!r} names its feeling; wanted words that show it ({allowed} may name it here)",
        )
