"""Records that were refused, each with a reason code: never dropped in silence, never deleted."""

from enum import StrEnum

from pipeline.domain.record import Record


class Reason(StrEnum):
    """Why a record was refused. One code per remedy; the detail of the row says which value."""

    # reading a source
    UNREADABLE_ENCODING = "unreadable_encoding"
    MALFORMED_RECORD = "malformed_record"
    MISSING_FIELD = "missing_field"
    # the shape of a seed dialogue
    ONE_SPEAKER = "one_speaker"
    TOO_MANY_SPEAKERS = "too_many_speakers"
    TOO_FEW_TURNS = "too_few_turns"
    EMPTY_TURN = "empty_turn"
    TURN_TOO_LONG = "turn_too_long"
    NO_WORDS = "no_words"
    WRONG_LANGUAGE = "wrong_language"
    DUPLICATE_ID = "duplicate_id"
    DUPLICATE_TEXT = "duplicate_text"
    # writing a script
    NO_SUITABLE_TURN = "no_suitable_turn"
    UNSPEAKABLE_TEXT = "unspeakable_text"
    INVALID_REPLY = "invalid_reply"
    NO_REPLY = "no_reply"
    QUOTE_NOT_FOUND = "quote_not_found"
    ANCHOR_AT_EDGE = "anchor_at_edge"
    WRONG_SPEAKER_ROLES = "wrong_speaker_roles"
    EVENTS_COLLIDE = "events_collide"
    LEAKED_INSTRUCTION = "leaked_instruction"
    REPEATED_TEXT = "repeated_text"
    WRONG_LENGTH = "wrong_length"
    UNSAFE_CONTENT = "unsafe_content"
    POOR_REVIEW = "poor_review"
    # speech and timing
    SYNTHESIS_FAILED = "synthesis_failed"
    BAD_AUDIO = "bad_audio"
    NO_VOICE = "no_voice"
    CANNOT_BE_TIMED = "cannot_be_timed"
    # mining
    NO_AUDIO = "no_audio"
    ONE_CHANNEL = "one_channel"
    # exporting
    NOT_EXPORTABLE = "not_exportable"


class Refusal(Record):
    """One refused record: a row of `quarantine.NNNNN.jsonl`."""

    stage: str
    record_id: str
    """Id of the refused record, or `<file>:<line>` where it has none."""
    reason: Reason
    detail: str
    """What was found and what was wanted, for a person."""
    payload: str
    """The refused record itself (JSON, raw line or raw reply), so that nothing is lost."""
