"""What has been said when the event falls, as the writers of events need it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.backends.offline.banks import Bank, Domain, Exchange, Tip
from pipeline.backends.offline.domains import detect_domain, fitting_tips, names_a_field
from pipeline.backends.offline.frames import Composer, split_sentences
from pipeline.backends.offline.place import host_turn
from pipeline.backends.offline.queries import QueryKind, classify
from pipeline.core.scripting.steps import AdaptedTurn, WriteInput
from pipeline.core.tokens import words_of

UNDERSTOOD = 0.6
"""A tip is understood when so much of its words was heard; before that, people still think of the one before."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One dialogue at the moment of its event."""

    bank: Bank
    composer: Composer
    said: tuple[str, ...]
    """All sentences of the dialogue without its events."""
    host: tuple[str, ...]
    """Sentences of the host turn."""
    heard: tuple[str, ...]
    unsaid: tuple[str, ...]
    broken: int
    """Index of the host sentence that was broken off."""
    understood: bool
    """Enough of that sentence was heard to know what it says."""
    given: tuple[Tip, ...]
    """Tips of the whole dialogue, in order."""
    domain: Domain
    recent: Tip | None
    """The tip that was just heard."""
    only_facts: bool
    """The user asked for facts and was given nothing but facts: no advice is being given."""

    def sentences(self, text: str) -> tuple[str, ...]:
        """Split a rendered frame."""
        return split_sentences(text, self.bank.language)

    def say(self, key: str, kind: str = "") -> str:
        """One frame of a section, of one kind where given."""
        return self.composer.say(frame for frame in self.bank.frames[key] if not kind or frame.kind == kind)

    def perhaps(self, key: str, probability: float) -> tuple[str, ...]:
        """Its sentences, sometimes."""
        return self.sentences(self.say(key)) if self.composer.chance(probability) else ()

    def exchange(self, name: str) -> Exchange:
        """One question with its answer, whose slots can be filled."""
        exchanges = self.bank.exchanges[name]
        chosen = self.composer.choose(exchange.ask for exchange in exchanges)
        return next(exchange for exchange in exchanges if exchange.ask is chosen)

    def fresh_tip(self) -> str:
        """A tip that was not given yet."""
        given = frozenset(tip.say.frame_id for tip in self.given)
        tips = fitting_tips(self.bank, self.domain, " ".join(self.said), given)
        rest = [tip for tip in self.bank.general.tips if tip.say.frame_id not in given]
        tips = tips or tuple(rest) or self.bank.general.tips
        return self.composer.say(tip.say for tip in tips)


def read_situation(request: WriteInput, bank: Bank, composer: Composer) -> Situation:
    """The situation of a dialogue with one event."""
    turn = host_turn(request.event, request.adapted.turns)
    return assess(
        bank,
        composer,
        request.adapted.topic,
        request.adapted.turns,
        turn.sentences if turn else (),
        (request.heard, request.unsaid),
    )


def assess(
    bank: Bank,
    composer: Composer,
    topic: str,
    turns: Sequence[AdaptedTurn],
    host: tuple[str, ...],
    divided: tuple[tuple[str, ...], tuple[str, ...]],
) -> Situation:
    """Find the tips again that a dialogue was made of, and fill the composer's slots accordingly.

    `divided` is the host turn up to the event and after it.
    """
    heard, unsaid = divided
    broken = max(min(len(heard), len(host)) - 1, 0)
    said = tuple(sentence for turn in turns for sentence in turn.sentences)
    found = [match for match in map(bank.find_tip, said) if match]
    domain = found[0][1] if found else detect_domain(bank, "", topic, " ".join(said))
    understood = _understood(heard, host, broken)
    recent = _recent_tip(bank, host, broken if understood else broken - 1) if heard else None
    slots = {} if names_a_field(bank, topic) else {"topic": topic}
    composer.slots = slots | ({"about": recent.about} if recent else {})
    given = tuple(tip for tip, _ in found)
    asked = " ".join(turns[0].sentences) if turns else ""
    facts = not given and classify(asked, bank.language) is QueryKind.FACT
    return Situation(
        bank, composer, said, host, heard, unsaid, broken, understood, given, domain, recent, facts
    )


def _understood(heard: tuple[str, ...], host: tuple[str, ...], broken: int) -> bool:
    if not heard or not host:
        return False
    return len(words_of(heard[-1])) >= UNDERSTOOD * len(words_of(host[broken]))


def _recent_tip(bank: Bank, host: tuple[str, ...], index: int) -> Tip | None:
    found = bank.find_tip(host[index]) if 0 <= index < len(host) else None
    return found[0] if found else None
