"""pyannote.audio 4.0 behind the Diarizer port.

Why it is called the way it is, each line a trap of that version: waveforms, because a path is decoded ten times over
and needs ffmpeg; a `uri`, because equal ones are refused; nothing else in the dict, because an `annotation` renames
the speakers; `speaker_diarization`, because `exclusive_speaker_diarization` has no overlaps; cropped, because output
may run past the end; voices checked for numbers, because rows are padded with zeros and centroids of nobody are NaN.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.backends.pyannote.model_files import check_directory, is_directory, name_model
from pipeline.core.turntaking.activity import as_array, merge_runs
from pipeline.domain.diarization import RATE_HZ, Diarization, DiarizedSpeaker, DiarizerChoice, LocalTracks
from pipeline.domain.errors import ConfigError, TerminalBackendError
from pipeline.domain.span import Span

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of torchcodec, which is for paths, and of the library's own imports
    import torch
    from pyannote.audio import Pipeline, __version__
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.audio.telemetry.metrics import is_metrics_enabled
    from pyannote.core import Annotation, SlidingWindowFeature

TOKEN = "HF_TOKEN"
"""Environment variable with the hub's token, for models that ask for one."""

_MAX_SPEAKERS = 8
_LEAST_S = 0.5
"""Shorter speech has no voice."""

Wave = npt.NDArray[np.float32]


class PyannoteDiarizer:
    """A loaded pipeline. One per process; it hears one recording at a time."""

    def __init__(self, choice: DiarizerChoice) -> None:
        if is_metrics_enabled():
            raise ConfigError("diarizer: telemetry is on; unset PYANNOTE_METRICS_ENABLED and start again")
        self._device = _device(choice)
        self._name = f"pyannote.audio-{__version__}:{name_model(choice)}"
        self._pipeline = _load(choice)
        self._pipeline.to(self._device)
        self._pipeline.segmentation_batch_size = choice.segmentation_batch
        self._pipeline.embedding_batch_size = choice.embedding_batch

    @property
    def name(self) -> str:
        """`pyannote.audio-<version>:<model>@<revision or digest>/<device>`."""
        return self._name

    def diarize(self, samples: Wave, uri: str, num_speakers: int | None = None) -> Diarization:
        """Label the speech of `[num_samples]` at 16 kHz."""
        kept: dict[str, SlidingWindowFeature] = {}

        def keep(step: str, artefact: object, **_: object) -> None:
            if step == "segmentation" and isinstance(artefact, SlidingWindowFeature):
                kept[step] = artefact

        bounds = {"min_speakers": 1, "max_speakers": _MAX_SPEAKERS}
        if num_speakers is not None:
            bounds = {"num_speakers": num_speakers}
        with _quietly(f"diarizer: {uri}"):
            output = self._pipeline(_file(samples, uri), hook=keep, **bounds)
        annotation = getattr(output, "speaker_diarization", output)
        voices = getattr(output, "speaker_embeddings", None)
        return Diarization(
            num_samples=len(samples),
            speakers=speakers_of(annotation, voices, len(samples)),
            local=local_tracks(kept["segmentation"]),
        )

    def embed(self, samples: Wave) -> Wave | None:
        """The voice in `[num_samples]` of one speaker, of length 1."""
        if len(samples) < _LEAST_S * RATE_HZ:
            return None
        batch = torch.from_numpy(np.array(samples, np.float32))[None, None]
        with _quietly("diarizer: an embedding"):
            (voice,) = self._pipeline._embedding(batch)
        known = usable_voice(voice)
        return None if known is None else known / np.float32(np.linalg.norm(known))


def speakers_of(
    annotation: Annotation, voices: npt.NDArray[np.float64] | None, num_samples: int
) -> tuple[DiarizedSpeaker, ...]:
    """Labels with their talkspurts inside [0, num_samples), and with their voice where there is a usable one."""
    found = []
    for index, label in enumerate(annotation.labels()):
        spans = []
        for segment in annotation.label_timeline(label):
            start, end = (
                min(max(round(at * RATE_HZ), 0), num_samples) for at in (segment.start, segment.end)
            )
            if start < end:
                spans.append(Span(start, end))
        if spans:
            runs = merge_runs(as_array(spans), 1)
            voice = usable_voice(voices[index]) if voices is not None and index < len(voices) else None
            found.append(DiarizedSpeaker(str(label), tuple(Span(a, b) for a, b in runs.tolist()), voice))
    return tuple(found)


def usable_voice(row: npt.NDArray[np.floating]) -> Wave | None:
    """A voice as float32; None for the zeros that rows are padded with and for NaN."""
    voice = np.asarray(row, np.float32)
    return voice if np.isfinite(voice).all() and np.linalg.norm(voice) > 0 else None


def local_tracks(segmentation: SlidingWindowFeature) -> LocalTracks:
    """The segmentation of each chunk, as it is before clustering; missing frames are silence."""
    window = segmentation.sliding_window
    data = np.nan_to_num(np.asarray(segmentation.data, np.float32), nan=0.0)
    first, step = round(window.start * RATE_HZ), window.step * RATE_HZ
    starts = tuple(first + round(index * step) for index in range(len(data)))
    return LocalTracks(starts, round(window.duration * RATE_HZ), data > 0.5)


def _file(samples: Wave, uri: str) -> dict[str, object]:
    waveform = torch.from_numpy(np.array(samples, np.float32))[None]
    return {"waveform": waveform, "sample_rate": RATE_HZ, "uri": uri}


def _device(choice: DiarizerChoice) -> torch.device:
    if choice.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "diarizer: device cuda is wanted, and torch finds none; wanted `device: cpu`, or a GPU build"
        )
    return torch.device(choice.device)


def _load(choice: DiarizerChoice) -> SpeakerDiarization:
    """A local directory is loaded without a look at the network."""
    torch.set_flush_denormal(True)
    source: str | Path = choice.model
    if is_directory(choice.model):
        os.environ["HF_HUB_OFFLINE"] = "1"
        source = check_directory(choice.model, choice.revision)
    with _quietly(f"diarizer: {choice.model}"):
        pipeline = Pipeline.from_pretrained(source, revision=choice.revision, token=os.environ.get(TOKEN))
    if not isinstance(pipeline, SpeakerDiarization):
        raise ConfigError(
            f"diarizer: {choice.model} gives {type(pipeline).__name__}; wanted a SpeakerDiarization; "
            f"remedy for a gated model: accept its terms and set {TOKEN}"
        )
    return pipeline


@contextmanager
def _quietly(what: str) -> Iterator[None]:
    """The library warns of what is handled here, and its exceptions stop here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (ConfigError, TerminalBackendError):
            raise
        except Exception as error:  # it raises whatever its models do
            raise TerminalBackendError(f"{what} failed ({type(error).__name__}: {error})") from error
