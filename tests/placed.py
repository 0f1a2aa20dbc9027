"""Events of timelines that a test places by hand."""

from pipeline.domain.events import EventType, FloorEffect
from pipeline.domain.script import AfterWords, Follows
from pipeline.domain.timeline import Event, Supervision


def event_of(
    kind: EventType,
    incoming: Supervision,
    host: Supervision | None = None,
    *,
    words: int = 1,
    anchor_at: int | None = None,
) -> Event:
    """What happens where `incoming` begins, after so many words of its host.

    An interruption makes its host yield, at the host's end; any other event leaves it be. Without a host there
    is nobody on the timeline to yield.
    """
    yields = host is not None and kind.is_interruption
    return Event(
        type=kind,
        supervision_id=incoming.supervision_id,
        initiator=incoming.speaker,
        host=None if host is None else host.supervision_id,
        effect=FloorEffect.YIELDS if yields else FloorEffect.CONTINUES,
        anchor=Follows() if host is None else AfterWords(host=host.supervision_id, words=words),
        onset=incoming.span.start,
        anchor_at=anchor_at,
        yielded_at=host.span.end if host is not None and yields else None,
    )
