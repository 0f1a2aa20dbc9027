"""Who is spoken by which voice."""

from collections.abc import Sequence

from pipeline.core.seeding import derive_rng
from pipeline.domain.errors import RecordError
from pipeline.domain.labels import Gender, Speaker
from pipeline.domain.quarantine import Reason
from pipeline.domain.script import Script
from pipeline.domain.voice import Voice


def cast(script: Script, voices: Sequence[Voice], root_seed: int) -> dict[Speaker, Voice]:
    """Draw one voice per speaker who is heard: its language, its split, all different persons.

    The user's gender follows the seed dialogue where it says so and the split has such a voice.
    Raises RecordError NO_VOICE where the split has fewer persons than the script has speakers.
    """
    pool = sorted(
        (v for v in voices if v.language is script.language and v.split is script.split),
        key=lambda voice: voice.voice_id,
    )
    unspoken = script.unspoken()
    heard = {u.speaker for u in script.utterances if u.utterance_id not in unspoken}
    speakers = sorted(heard, key=list(Speaker).index)
    rng = derive_rng(root_seed, "casting", script.dialogue_id)
    chosen: dict[Speaker, Voice] = {}
    for speaker in speakers:
        taken = {voice.speaker for voice in chosen.values()}
        free = [voice for voice in pool if voice.speaker not in taken]
        if speaker is Speaker.USER:
            free = _of_gender(free, script.user_gender) or free
        if not free:
            raise RecordError(
                Reason.NO_VOICE,
                f"{len(speakers)} speakers in {script.language.value}/{script.split.value}, "
                f"{len(pool)} voices there; add voices to the catalogue",
            )
        chosen[speaker] = free[int(rng.integers(len(free)))]
    return chosen


def _of_gender(voices: Sequence[Voice], gender: Gender | None) -> list[Voice]:
    return [voice for voice in voices if gender is not None and voice.gender is gender]
