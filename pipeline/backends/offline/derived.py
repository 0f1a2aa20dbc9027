"""A query made of what a seed is about, where none of its own turns can stand alone.

    topic `quit smoking`            ->  "I'm planning to quit smoking soon, and I could use some advice."
    a chat full of menus and tables ->  "Could you give me some advice about eating out?"

Only where the field is beyond doubt, since the banks alone must answer.
"""

import re

from pipeline.backends.offline.banks import Bank, Domain
from pipeline.backends.offline.domains import detect_domain, prevailing_domain
from pipeline.backends.offline.frames import Composer, Frame, split_sentences
from pipeline.backends.offline.lexicon import load_lexicon
from pipeline.backends.offline.words import gerund
from pipeline.core.scripting.steps import AdaptInput
from pipeline.domain.labels import Language

_TASK = re.compile(r"[a-z]{2,9}(?: [a-z-]+){1,5}")
_LINES_READ, _CHARACTERS_READ = 12, 2000


def task_topic(topic: str | None, language: Language) -> str | None:
    """A seed's topic that names a task, in the form that fits after `about`.

    >>> task_topic("quit smoking", Language.EN), task_topic("a noisy bar", Language.EN)
    ('quitting smoking', None)
    """
    verb, _, rest = _task(topic, language).partition(" ")
    return f"{gerund(verb)} {rest}" if rest else None


def derived_frames(bank: Bank, request: AdaptInput) -> tuple[tuple[Frame, ...], str, Domain] | None:
    """Frames of a query, what fills their slot, and the field that answers it; None where the matter is unclear."""
    if load_lexicon(request.language).grave.search(" ".join(line.text for line in request.lines)):
        return None
    context = " ".join(line.text for line in request.lines[:_LINES_READ])[:_CHARACTERS_READ]
    task = _task(request.topic, request.language)
    if task:
        domain = detect_domain(bank, task, "", context)
        if domain is not bank.general:
            return bank.frames["query/task"], task, domain
    found = prevailing_domain(bank, f"{request.topic or ''} {context}")
    return (bank.frames["query/matter"], found.label, found) if found else None


def render_query(composer: Composer, frame: Frame, topic: str) -> tuple[str, ...]:
    """The sentences of one frame about a topic."""
    # A composer of its own: a frame that is tried and not taken must not count as used.
    text = Composer(composer.language, composer.rng, {"topic": topic}).render(frame)
    return split_sentences(text, composer.language)


def _task(topic: str | None, language: Language) -> str:
    phrase = (topic or "").strip().lower()
    verbs = load_lexicon(language).task_verbs
    return phrase if _TASK.fullmatch(phrase) and phrase.split()[0] in verbs else ""
