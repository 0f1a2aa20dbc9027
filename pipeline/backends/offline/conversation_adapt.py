"""Step 1 of a conversation: from a seed to a long dialogue in which the planned events can happen.

    t0  the seed's query                                  t1  the seed's reply, tips
    t2  the seed's next question, where it is of use      t3  its answer, tips
    t4  Okay. + a question about a tip just given         t5  the answer to that, tips
    t6  Okay. + something of one's own + a question       t7  the answer to that, tips
    t8  Okay. + What else?                                t9  tips, a farewell

What an event needs is planted on the way (`conversation_outline`): an announcement, a mistake, an assumption.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from pipeline.backends.offline.adapt import length_of, make_turn, open_answer, order_tips, tip_sentence
from pipeline.backends.offline.banks import Bank, Domain, Tip
from pipeline.backends.offline.conversation_outline import Outline, draw_outline
from pipeline.backends.offline.domains import names_a_field
from pipeline.backends.offline.frames import Composer, Frame, split_sentences
from pipeline.backends.offline.manner import is_grave, suits
from pipeline.backends.offline.material import choose_material, seed_exchanges, seed_topic
from pipeline.backends.offline.planted import Planted
from pipeline.core.scripting.conversation_steps import Conversation, ConversationInput
from pipeline.core.scripting.steps import AdaptedTurn, AdaptInput
from pipeline.core.tokens import words_of
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Language, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.scene import Scene

Kind = Literal["seed", "ask", "situation", "more"]

_TARGET = {Language.EN: (36, 52), Language.ZH: (46, 74)}
_CEILING = {Language.EN: 72, Language.ZH: 108}
_MAX_SENTENCES, _MIN_SENTENCES = 5, 3
_MOST_OF_SEED = 3
_ACCEPT_CHANCE, _REMARK_CHANCE, _MUSING_CHANCE, _ACK_CHANCE, _LEAD_CHANCE = 0.8, 0.65, 0.6, 0.45, 0.5
_WEIGHT = {"ask": 0.48, "situation": 0.34, "more": 0.18}
_OWN_FIELD_CHANCE = 0.7
_ECHO = 0.7
"""Share of words that two sentences have in common."""


def adapt_conversation(request: ConversationInput, bank: Bank, composer: Composer) -> Conversation:
    """Choose the query and write the turns. Raises RecordError where no dialogue can be made."""
    seed = AdaptInput(
        dialogue_id=request.dialogue_id,
        language=request.language,
        # The scene with two exchanges: it takes no seed that has facts for one answer and no more.
        scene=Scene.DIRECTED_AT_OTHERS,
        topic=request.topic,
        lines=request.lines,
    )
    material = choose_material(seed, bank, composer)
    topic = seed_topic(seed, bank, material)
    composer.slots = {} if names_a_field(bank, topic) else {"topic": topic}
    head = open_answer(seed, bank, composer, material)
    matter = None if material.whole_field else " ".join((topic, material.query.text, *head))
    exchanges = request.turns // 2
    talk = _Talk(
        bank=bank,
        composer=composer,
        domain=material.domain,
        outline=draw_outline(request.events, exchanges, composer),
        exchanges=exchanges,
        tips=order_tips(bank, material.domain, matter, composer),
        seed_pairs=list(seed_exchanges(seed, material.query, _MOST_OF_SEED)),
    )
    talk.open(material.query.sentences, head)
    for number in range(1, exchanges):
        talk.go_on(number)
    return Conversation(topic=topic, turns=tuple(talk.turns))


def _is_echo(text: str, earlier: str) -> bool:
    """Whether most words of two sentences are the same."""
    one, other = _words_in(text), _words_in(earlier)
    total = one.total() + other.total()
    if 2 * min(one.total(), other.total()) < _ECHO * total:
        return False
    return 2 * (one & other).total() >= _ECHO * total


@lru_cache(maxsize=4096)
def _words_in(text: str) -> Counter[str]:
    return Counter(word.casefold() for word in words_of(text))


@dataclass(slots=True)
class _Talk:
    """A dialogue under construction."""

    bank: Bank
    composer: Composer
    domain: Domain
    outline: Outline
    exchanges: int
    tips: list[Tip]
    """Still to be given, best first."""
    seed_pairs: list[tuple[tuple[str, ...], tuple[str, ...]]]
    """Questions and answers of the seed that are still to come."""
    turns: list[AdaptedTurn] = field(default_factory=list)
    recent: list[Tip] = field(default_factory=list)
    """Tips of the last answer that nobody asked about."""
    kind: Kind = "seed"

    def open(self, query: tuple[str, ...], head: tuple[str, ...]) -> None:
        """The first exchange."""
        file = self.outline.in_question.get(0)
        planted = (self._plant(file, led=True),) if file else ()
        self._add(0, (*query, *planted), head)

    def go_on(self, number: int) -> None:
        """One more exchange."""
        kind = self._choose_kind(number)
        begin = self._begin_turn(number, kind)
        if kind == "seed":
            question, head = self.seed_pairs.pop(0)
        elif kind == "ask":
            question, head = self._ask(number)
        elif kind == "situation":
            question, head = self._tell_situation()
        else:
            question, head = self._want_more()
        self.kind = kind
        self._add(number, (*begin, *question), head)

    def _add(self, number: int, said: tuple[str, ...], head: tuple[str, ...]) -> None:
        self.turns.append(make_turn(Speaker.USER, said))
        self.turns.append(make_turn(Speaker.ASSISTANT, self._answer(number, head)))

    def _choose_kind(self, number: int) -> Kind:
        """The seed's own question as long as there is one; then anything that can be said now, but no two
        situations in a row."""
        unsettled = number - 1 in self.outline.upset | self.outline.leaves
        if not self.seed_pairs or unsettled or number in self.outline.in_question:
            self.seed_pairs.clear()  # what follows in the seed builds on it
        if self.seed_pairs:
            return "seed"
        possible: list[Kind] = []
        if self.recent and not unsettled:
            possible.append("ask")
        if self.kind != "situation" and number not in self.outline.in_question and self._situations():
            possible.append("situation")
        if self.tips:
            possible.append("more")
        if not possible:
            raise RecordError(
                Reason.NO_SUITABLE_TURN,
                f"all that the bank has on {self.domain.label!r} is said after {2 * number} turns; "
                f"wanted {2 * self.exchanges}: ask for fewer turns",
            )
        weights = [_WEIGHT[kind] for kind in possible]
        drawn = self.composer.rng.choice(len(possible), p=[weight / sum(weights) for weight in weights])
        return possible[int(drawn)]

    def _begin_turn(self, number: int, kind: Kind) -> tuple[str, ...]:
        """What comes before the question: a word on the last answer, and a planted sentence if one is wanted."""
        sentences: list[str] = []
        if number - 1 in self.outline.leaves:
            sentences += self._say("talk/user/returns")
        elif self.composer.chance(_ACCEPT_CHANCE):
            cheerful = not is_grave(self.domain) and number - 1 not in self.outline.upset
            frames = self.bank.frames["talk/user/accepts"]
            cheers = self.bank.frames["talk/user/cheers"] if cheerful else ()
            sentences += split_sentences(self.composer.say((*frames, *cheers)), self.bank.language)
        file = self.outline.in_question.get(number)
        if file:
            sentences.append(self._plant(file, led=self.composer.chance(_LEAD_CHANCE)))
        elif number == self.exchanges - 1 and kind != "seed":
            sentences += self._say("talk/user/last")
        elif kind == "more" and self.composer.chance(_MUSING_CHANCE):
            sentences += self._muse()
        return tuple(sentences)

    def _muse(self) -> tuple[str, ...]:
        return self._say("talk/user/confidences" if is_grave(self.domain) else "talk/user/musings")

    def _ask(self, number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """About the tip that was given last: it is still in everybody's ear."""
        tip = self.recent[-1]
        remark: tuple[str, ...] = ()
        plain = number not in self.outline.in_question and number != self.exchanges - 1
        if plain and self.composer.chance(_REMARK_CHANCE):
            topic = self.composer.slots
            self.composer.slots = {**topic, "about": tip.about}
            remark = self._say("talk/user/remarks")
            self.composer.slots = topic
        question = self.composer.render(tip.ask)
        self.composer.note(f"{tip.ask.frame_id}/answer")
        opening = self._say("talk/assistant/answers") if self.composer.chance(_ACK_CHANCE) else ()
        return (*remark, question), (*opening, *tip.answer)

    def _situations(self) -> list[Frame]:
        return [
            exchange.ask
            for exchange in self.bank.exchanges["talk/situations"]
            if suits(exchange.ask.kind, self.domain) and exchange.ask.frame_id not in self.composer.used
        ]

    def _tell_situation(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        asked = self.composer.pick(self._situations())
        pair = next(one for one in self.bank.exchanges["talk/situations"] if one.ask is asked)
        question = split_sentences(self.composer.render(pair.ask), self.bank.language)
        return question, split_sentences(self.composer.render(pair.answer), self.bank.language)

    def _want_more(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self._say("talk/user/more"), self._say("talk/assistant/more")

    def _answer(self, number: int, head: tuple[str, ...]) -> tuple[str, ...]:
        """Head and tips until it is long enough; what is planted goes before the last tip."""
        language = self.bank.language
        target = int(self.composer.rng.integers(*_TARGET[language]))
        least = _MIN_SENTENCES + (self.outline.crowd > 1)
        sentences = list(head)
        self.recent = []
        self._drop_echoes()
        while self.tips and len(sentences) < _MAX_SENTENCES:
            fits = length_of((*sentences, self.tips[0].say.text)) <= _CEILING[language]
            enough = length_of(sentences) >= target or not fits
            if enough and len(sentences) >= least and self.recent:
                break
            tip = self.tips.pop(0)
            sentences.append(tip_sentence(self.bank, self.composer, tip, linked=len(sentences) > len(head)))
            self.recent.append(tip)
            self._drop_echoes()
        file = self.outline.in_answer.get(number)
        if file:
            sentences.insert(max(1, len(sentences) - 1), self._plant(file, led=False))
        if number == self.exchanges - 1:
            sentences += self._say("talk/assistant/farewells")
        return tuple(sentences)

    def _drop_echoes(self) -> None:
        """Tips are written for single answers: some of one field say nearly the same as others."""
        heard = [sentence for turn in self.turns for sentence in turn.sentences]
        heard += [tip.say.text for tip in self.recent]
        while self.tips and any(_is_echo(self.tips[0].say.text, sentence) for sentence in heard):
            self.tips.pop(0)

    def _plant(self, file: str, led: bool) -> str:
        """One sentence from a file; sometimes with words that lead over to it."""
        text = self.composer.render(self._choose_planted(file).say)
        return (
            self.composer.lead_in(self.composer.say(self.bank.frames["events/resumption/extra"]), text)
            if led
            else text
        )

    def _choose_planted(self, file: str) -> Planted:
        """One that fits the talk; what is written for its very field comes first, most of the time."""
        used = self.composer.used
        fitting = [one for one in self.bank.planted[file] if suits(one.kind, self.domain)]
        fresh = [one for one in fitting if one.say.frame_id not in used] or fitting
        own = [one for one in fresh if one.kind == self.domain.name]
        return self.composer.pick(own if own and self.composer.chance(_OWN_FIELD_CHANCE) else fresh)

    def _say(self, key: str) -> tuple[str, ...]:
        return split_sentences(self.composer.say(self.bank.frames[key]), self.bank.language)
