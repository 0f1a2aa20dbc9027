"""Made-up scripts of emotional dialogues: a user whose feelings change, and replies that are text or speech."""

from pipeline.domain.emotional import EmotionalArc, EmotionalTask, Feeling, Intensity, Tag, TagPlace, Topic
from pipeline.domain.labels import Emotion, Gender, Language, Recipe, Speaker, Split
from pipeline.domain.script import Follows, Script, Utterance
from tests.spoken import LICENCE

ANGER_TO_SURPRISE = (Emotion.ANGER, Emotion.SURPRISE, Emotion.NEUTRAL)

FELT: dict[Language, dict[Emotion, tuple[tuple[str, ...], str, str]]] = {
    Language.EN: {
        Emotion.HAPPY: (
            ("They gave me the window desk after all.", "I could dance right here."),
            "the window desk",
            "You have waited for that desk since spring, so enjoy it.",
        ),
        Emotion.SAD: (
            ("Our old cat did not come home last night.", "Her bowl is still full."),
            "the cat did not come home",
            "An empty house feels so quiet when someone is missing.",
        ),
        Emotion.ANGER: (
            ("The landlord kept my whole deposit.", "Two years of rent and nothing back!"),
            "the landlord kept the deposit",
            "Losing that money after two clean years is infuriating.",
        ),
        Emotion.FEAR: (
            ("Somebody has been trying my door handle all evening.",),
            "somebody tries the door handle",
            "That would frighten anybody, so keep the chain on while we talk.",
        ),
        Emotion.NEUTRAL: (
            ("Can you tell me how my feelings went while we talked?",),
            "",
            "You began with one feeling, and it turned when the news came.",
        ),
        Emotion.SURPRISE: (
            ("Hold on, the bank says all of it has just arrived!",),
            "the money has arrived",
            "What a turn, and the full amount too.",
        ),
        Emotion.DISGUST: (
            ("There was a whole beard of mould under the lid.", "I had already eaten half of it."),
            "mould in the food",
            "No wonder your stomach turns at the thought.",
        ),
    },
    Language.ZH: {
        Emotion.HAPPY: (
            ("他们终于把靠窗的位子给我了。", "我高兴得想跳起来。"),
            "靠窗的位子",
            "等了一春天，好好享受吧。",
        ),
        Emotion.SAD: (
            ("家里的老猫昨晚没有回来。", "它的碗还是满的。"),
            "老猫没有回来",
            "少了它，家里一定特别安静。",
        ),
        Emotion.ANGER: (
            ("房东把押金全扣了。", "住了两年一分都不退！"),
            "房东扣了押金",
            "白白住了两年，换谁都会生气。",
        ),
        Emotion.FEAR: (("有人一晚上都在拧我的门把手。",), "有人拧门把手", "先把门链挂好，我们边说边想办法。"),
        Emotion.NEUTRAL: (
            ("你说说看，我的心情是怎么变的？",),
            "",
            "你一开始是一种心情，后来消息来了就变了。",
        ),
        Emotion.SURPRISE: (("等等，银行说钱刚刚全到账了！",), "钱到账了", "真没想到，而且一分不少。"),
        Emotion.DISGUST: (
            ("盖子底下长了一层毛。", "我都已经吃了一半了。"),
            "东西发霉了",
            "想想都反胃，也难怪你。",
        ),
    },
}
"""What is said, why, and what is answered, by language and feeling."""

TAGS: dict[Emotion, Tag] = {
    Emotion.HAPPY: Tag.LAUGHTER,
    Emotion.SAD: Tag.SIGH,
    Emotion.ANGER: Tag.SIGH,
    Emotion.FEAR: Tag.GASP,
}


def emotional_script(
    dialogue_id: str = "en-emotional-1",
    *,
    language: Language = Language.EN,
    task: EmotionalTask = EmotionalTask.TRAJECTORY,
    emotions: tuple[Emotion, ...] = ANGER_TO_SURPRISE,
    intensity: Intensity = Intensity.CLEAR,
    response_audio: bool = False,
    split: Split = Split.TRAIN,
    user_gender: Gender | None = None,
) -> Script:
    """One user turn per feeling, each with its reply; a sound before the second word of some.

    ::

        turn        0        1           2        3           4        5
        user        anger    .           surprise .           question .
        assistant   .        text only   .        text only   .        text only
    """
    utterances: list[Utterance] = []
    for index, emotion in enumerate(emotions):
        sentences, _, response = FELT[language][emotion]
        tag = TAGS.get(emotion)
        for number, sentence in enumerate(sentences):
            utterances.append(
                Utterance(
                    utterance_id=f"u{len(utterances):02d}",
                    turn=2 * index,
                    speaker=Speaker.USER,
                    text=sentence,
                    anchor=Follows(),
                    emotion=emotion,
                    intensity=intensity,
                    tags=(TagPlace(tag=tag, words=1),) if tag and not number else (),
                )
            )
        utterances.append(
            Utterance(
                utterance_id=f"u{len(utterances):02d}",
                turn=2 * index + 1,
                speaker=Speaker.ASSISTANT,
                text=response,
                anchor=Follows(),
                aloud=response_audio,
            )
        )
    return Script(
        dialogue_id=dialogue_id,
        seed_id=f"test/{dialogue_id}",
        language=language,
        recipe=Recipe.EMOTIONAL,
        scene=None,
        split=split,
        topic="home",
        user_gender=user_gender,
        utterances=tuple(utterances),
        events=(),
        frames=(),
        arc=EmotionalArc(
            task=task,
            topic=Topic.HOME,
            persona="a tenant in an old house" if language is Language.EN else "住在老房子里的租客",
            feelings=tuple(
                Feeling(emotion=emotion, intensity=intensity, cause=FELT[language][emotion][1] or None)
                for emotion in emotions
            ),
        ),
        licence=LICENCE,
        author=(),
    )
