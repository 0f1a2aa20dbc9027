"""Whole dialogues by the embedded author, as the script stage asks for them; and invented seeds."""

import asyncio
from dataclasses import dataclass

from pipeline.backends.offline import OfflineAuthor
from pipeline.backends.offline.place import host_turn
from pipeline.core.scripting.steps import (
    Adapted,
    AdaptInput,
    Line,
    PlaceInput,
    Placement,
    WriteInput,
    Written,
)
from pipeline.domain.chat import ChatMessage, ChatReply, ChatRequest
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.record import Record
from pipeline.domain.scene import Scene, scene_definition

Seed = tuple[str | None, tuple[str, ...]]

SEEDS: dict[Language, tuple[Seed, ...]] = {
    Language.EN: (
        (
            "airing a small flat",
            (
                "How do I get the damp out of my flat in winter?",
                "Open all the windows wide for five minutes. Do it twice a day, since short and strong works best.",
            ),
        ),
        (
            None,
            ("Can you recommend a quiet restaurant near the station?", "What kind of food would you like?"),
        ),
        (
            "a first job interview",
            (
                "I have a job interview on Monday and I'm nervous. What should I prepare?",
                "Read the advert again and find three points that fit you. Prepare one short story for each of them.",
                "What if I forget everything?",
                "Take a sip of water and ask for a moment. Nobody minds a short silence.",
            ),
        ),
        (
            None,
            (
                "My cat keeps scratching the sofa. What can I do?",
                "Put a scratching post right next to it. Rub some catnip on the post, so it smells better.",
            ),
        ),
        (
            None,
            (
                "I can't sleep before two in the morning. Any tips?",
                "Get up at the same time every day, even after a short night.",
            ),
        ),
        (
            "saving on groceries",
            (
                "I spend far too much money on food. How can I save some?",
                "Plan three meals before you go to the shop, and write a list that you really follow.",
            ),
        ),
        (
            None,
            ("I want to book a hotel by the sea for the weekend.", "Sure. Which town do you have in mind?"),
        ),
        (
            None,
            (
                "Why is my laptop so slow since the last update?",
                "It may still be busy in the background. Leave it plugged in overnight, and see if that helps.",
            ),
        ),
        (
            "learning the guitar",
            (
                "I'd like to learn the guitar at forty. Should I take a teacher?",
                "A teacher saves you a year of bad habits. Take one for the first three months, and then decide again.",
            ),
        ),
        (
            None,
            (
                "I feel so lonely since I moved to this city.",
                "That sounds hard. Start with one small thing a week, like a class or a choir.",
            ),
        ),
    ),
    Language.ZH: (
        (
            "给阳台遮阳",
            (
                "阳台夏天晒得没法待人，有什么办法能凉快点？",
                "先挂一块浅颜色的遮阳布，能挡掉大半的太阳。傍晚往地上洒点水，过一会儿就凉下来了。",
            ),
        ),
        (None, ("你能帮我推荐一家安静点的咖啡馆吗？", "您想在哪个区？")),
        (
            "第一次面试",
            (
                "下周要去面试，我该准备些什么？",
                "先把招聘要求看一遍，挑三条跟自己对得上的。每一条准备一个小例子，说清楚做了什么。",
                "要是紧张得说不出话怎么办？",
                "喝口水，停两秒再说。面试官见得多了，不会介意的。",
            ),
        ),
        (
            None,
            (
                "我家小猫老是抓沙发，怎么办？",
                "在沙发旁边放个猫抓板，抹一点猫薄荷。它抓对了地方，马上夸一夸。",
            ),
        ),
        (
            None,
            ("我最近总是失眠，躺下两个小时都睡不着，怎么办？", "每天早上同一个点起床，哪怕头天晚上没睡好。"),
        ),
        (
            "省买菜钱",
            (
                "现在买菜太贵了，怎么才能省点钱？",
                "去之前列个单子，只买单子上的。傍晚去的话，很多摊位都会便宜一点。",
            ),
        ),
        (None, ("我想订一家海边的酒店，周末去住两天。", "好的，您打算去哪个城市？")),
        (
            None,
            (
                "我的手机更新完以后特别卡，怎么回事？",
                "可能后台还在整理东西。插上电放一晚上，第二天再看看有没有好转。",
            ),
        ),
        (
            "学吉他",
            (
                "我四十岁想学吉他，要不要请个老师？",
                "请老师能少走很多弯路。先跟三个月，把手型打好，后面再看要不要自学。",
            ),
        ),
        (
            None,
            (
                "搬到这个城市以后，我一直觉得很孤独。",
                "这种感觉不好受。可以先报一个兴趣班，一个星期去一次就行。",
            ),
        ),
    ),
}


def lines(texts: tuple[str, ...]) -> tuple[Line, ...]:
    """Alternate, the user first."""
    parties = (Speaker.USER, Speaker.ASSISTANT)
    return tuple(
        Line.model_validate({"speaker": parties[index % 2], "text": text}) for index, text in enumerate(texts)
    )


def ask(step: str, record: Record, seed: int) -> ChatReply:
    """One request to the author."""
    request = ChatRequest(
        step=step,
        prompt=f"script/{step}.v1",
        prompt_sha256="0" * 64,
        messages=(ChatMessage(role="user", content="unused"),),
        input=record.to_line(),
        response_schema="{}",
        seed=seed,
        temperature=0.7,
        top_p=0.9,
        max_completion_tokens=1000,
    )
    return asyncio.run(OfflineAuthor().complete(request))


@dataclass(frozen=True)
class Made:
    """One dialogue and the frames it was made of."""

    adapted: Adapted
    quote: str | None
    host: tuple[str, ...]
    written: Written
    frames: tuple[str, ...]

    def heard_and_unsaid(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The host turn, divided after the quote."""
        return divide(self.host, self.quote) if self.quote else ((), self.host)


def divide(host: tuple[str, ...], quote: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences up to the quote's end, and the rest."""
    index = next(i for i, sentence in enumerate(host) if quote in sentence)
    cut = host[index].index(quote) + len(quote)
    return (*host[:index], host[index][:cut]), (host[index][cut:].strip(), *host[index + 1 :])


def make_dialogue(language: Language, scene: Scene, seed: Seed, number: int, rng_seed: int) -> Made:
    """A dialogue of an invented seed."""
    topic, texts = seed
    name = f"{language.value}-{number}"
    return make_from(
        AdaptInput(dialogue_id=name, language=language, scene=scene, topic=topic, lines=lines(texts)),
        rng_seed,
    )


def make_from(request: AdaptInput, rng_seed: int) -> Made:
    """Run the three steps as the script stage does."""
    name, language, scene = request.dialogue_id, request.language, request.scene
    event = scene_definition(scene).event
    adapt_reply = ask("adapt", request, rng_seed)
    adapted = Adapted.from_line(adapt_reply.content)
    host = host_turn(event, adapted.turns)
    assert host is not None
    frames, quote = list(adapt_reply.frames), None
    heard: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    if scene is not Scene.THIRD_PARTY_BEFORE:
        place = PlaceInput(dialogue_id=name, language=language, scene=scene, event=event, adapted=adapted)
        quote = Placement.from_line(ask("place", place, rng_seed).content).quote
        heard, unsaid = divide(host.sentences, quote)
    write_reply = ask(
        "write",
        WriteInput(
            dialogue_id=name,
            language=language,
            scene=scene,
            event=event,
            adapted=adapted,
            heard=heard,
            unsaid=unsaid,
        ),
        rng_seed,
    )
    frames += write_reply.frames
    return Made(adapted, quote, host.sentences, Written.from_line(write_reply.content), tuple(frames))
