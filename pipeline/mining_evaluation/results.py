"""What a filter decided, taken up again from its cache: the same candidates, without hearing anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipeline.core.heard import Heard
from pipeline.core.mining.candidates import Candidate
from pipeline.domain.errors import ConfigError
from pipeline.domain.mining import RecordedActivity
from pipeline.io.mining_cache import MiningCache
from pipeline.io.recordings.declaration import Declaration, DeclaredRecording
from pipeline.mining import calibrated, calibrations_in, judge


@dataclass(frozen=True, slots=True)
class MinedRecording:
    """One recording, as it was declared, heard and decided about."""

    declared: DeclaredRecording
    heard: Heard
    candidates: tuple[Candidate, ...]
    """None of a recording that was refused as a whole."""

    @property
    def names(self) -> tuple[str, str]:
        """Its id, and what follows the corpus in it: `ami:dev00` is `dev00` in an RTTM."""
        name = self.declared.recording_id
        return name, name.rpartition(":")[2]

    @property
    def known(self) -> dict[str, str]:
        """What the filter itself knows of it, for the strata."""
        language = self.declared.language
        return {
            "mode": self.activity.mode if self.activity is not None else "refused",
            "language": language.value if language is not None else "not stated",
        }

    @property
    def activity(self) -> RecordedActivity | None:
        """Who was heard when."""
        return self.heard.activity

    def duration_s(self, truth: RecordedActivity | None = None) -> float:
        """The longest that anything says: nothing that was found lies outside."""
        known = [self.heard.probed.duration_s] if self.heard.probed is not None else []
        known.extend(a.num_samples / a.sampling_rate for a in (self.activity, truth) if a is not None)
        return max(known, default=0.0)


class Results:
    """The directory of a filter's `--out`."""

    def __init__(self, out: Path) -> None:
        self.declaration = _declaration(out)
        self._cache = MiningCache(out / "activity")
        self._declared = {one.recording_id: one for one in self.declaration.recordings}
        self._calibrations = calibrations_in(self._cache, self.declaration)

    @property
    def recording_ids(self) -> tuple[str, ...]:
        """All that is declared."""
        return tuple(sorted(self._declared))

    def recordings(self) -> Iterator[MinedRecording]:
        """All that was heard, one at a time: memory holds one of them."""
        for heard in self._cache.entries():
            declared = self._declared.get(heard.recording_id)
            if declared is not None:
                yield MinedRecording(declared, heard, self._candidates(declared, heard))

    def _candidates(self, declared: DeclaredRecording, heard: Heard) -> tuple[Candidate, ...]:
        limits = calibrated(self.declaration, self._calibrations.get(self._corpus(heard.recording_id)))
        return judge(limits, heard, self._cache.load_frames(heard), declared.language).candidates

    def _corpus(self, recording_id: str) -> str:
        rights = self._declared[recording_id].rights or self.declaration.rights
        return rights.corpus if rights is not None else "unstated"


def _declaration(out: Path) -> Declaration:
    path = out / "filter.json"
    try:
        return Declaration.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: no results of humdial filter here; wanted the directory of its --out"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(
            f"{path}: {where}: {first['msg']}: written by another version, or by hand; mine again into {out}"
        ) from error
