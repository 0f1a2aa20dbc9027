"""Long texts for models that say a request in one chunk: clause by clause, and joined.

    Well, we went there on Monday, because the shop was shut on Sunday and nobody had told us.
    '-- request 1, its own deadline --'  '-- request 2 -----------------------------------------'
                         '------------ judged each, 120 ms between them ------------'

CosyVoice cuts a longer text at full stops only, by rules of its own, and garbles or swallows what is left too long;
so do servers that put another API before it.
"""

from collections.abc import Awaitable, Callable

from pipeline.core.speakable.clauses import split_clauses
from pipeline.core.takes import USUAL_LIMITS, join_takes
from pipeline.core.tokens import words_of
from pipeline.domain.takes import Take
from pipeline.domain.voice import SpeechRequest


async def say_in_parts(request: SpeechRequest, say: Callable[[SpeechRequest], Awaitable[Take]]) -> Take:
    """One take of what `say` makes of each part, in order. Raises what `say` raises, and BadTakeError."""
    takes = [(part.text, await say(part)) for part in parts_of(request)]
    return takes[0][1] if len(takes) == 1 else join_takes(takes, request.kind, USUAL_LIMITS)


def parts_of(request: SpeechRequest) -> tuple[SpeechRequest, ...]:
    """Requests that a model says in one chunk each, every sound at its place in its part."""
    parts = []
    first = 0
    texts = split_clauses(request.text, request.language)
    for index, text in enumerate(texts):
        behind = first + len(words_of(text))
        last = index == len(texts) - 1
        tags = tuple(
            place.model_copy(update={"words": place.words - first})
            for place in request.tags
            if first <= place.words < behind or (last and place.words >= behind)
        )
        parts.append(request.model_copy(update={"text": text, "tags": tags}))
        first = behind
    return tuple(parts)
