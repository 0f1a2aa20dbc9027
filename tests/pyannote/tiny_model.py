"""A pipeline directory that pyannote loads as it would any other: 0.1 M parameters, taught by a run of our own.

    python -m tests.pyannote.tiny_model RUN MODEL

A test fixture, no product: it knows the embedded engine's voices and does not know rooms. See the scores that
`make pyannote` prints.
"""

import sys
import time
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import yaml
from pyannote.audio import __version__
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation import PyanNet
from pyannote.audio.utils.powerset import Powerset
from scipy.linalg import eigh

from pipeline.domain.diarization import RATE_HZ
from tests.pyannote.mixtures import CHUNK_S, Mixer, Utterance, utterances_of
from tests.pyannote.voice_statistics import VoiceStatistics

STEPS = 600
BATCH = 16
_SEED = 7
_ORDERS = tuple(permutations(range(3)))


def make_model(run: Path, directory: Path, steps: int = STEPS) -> None:
    """Train on the training voices of a run and write the directory. Equal runs give equal weights."""
    torch.manual_seed(_SEED)
    torch.set_flush_denormal(True)  # without it a backward pass may take a hundred times as long
    people = utterances_of(run, "train")
    segmentation = train_segmentation(people, steps)
    embedding, psi = train_embedding(people)
    _save(segmentation, directory / "segmentation")
    _save(embedding, directory / "embedding")
    _save_plda(psi, directory / "plda")
    (directory / "config.yaml").write_text(yaml.safe_dump(_config()))


def new_segmentation() -> PyanNet:
    """Untrained: one bidirectional LSTM of 64, two layers of 64; the sinc filters stay as they are."""
    model = PyanNet(
        sincnet={"stride": 10}, lstm={"hidden_size": 64, "num_layers": 1}, linear={"hidden_size": 64}
    )
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=CHUNK_S,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.build()
    for fixed in (model.sincnet.wav_norm1d, model.sincnet.conv1d[0]):  # half of a step's time goes into these
        for parameter in fixed.parameters():
            parameter.requires_grad = False
    return model


def train_segmentation(people: dict[str, list[Utterance]], steps: int) -> PyanNet:
    """So many steps of mixtures; the number of steps, not the time, is what repeats."""
    model, mixer, powerset = new_segmentation(), Mixer(people, _SEED), Powerset(3, 2)
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    model.train()
    begun = time.monotonic()
    for step in range(steps):
        samples, speech = mixer.draw(BATCH)
        logits = model(torch.from_numpy(samples)[:, None])
        loss = invariant_loss(logits, _per_frame(speech, logits.shape[1]), powerset)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 99 or step == steps - 1:
            print(f"step {step + 1} of {steps}: loss {loss.item():.3f}, {time.monotonic() - begun:.0f} s")
    model.eval()
    return model


def invariant_loss(scores: torch.Tensor, speech: torch.Tensor, powerset: Powerset) -> torch.Tensor:
    """Negative log-likelihood of the best naming of the speakers, chunk by chunk."""
    losses = []
    for order in _ORDERS:
        wanted = powerset.to_powerset(speech[:, :, list(order)]).argmax(dim=-1)
        losses.append(torch.nn.functional.nll_loss(scores.transpose(1, 2), wanted, reduction="none").mean(1))
    return torch.stack(losses).amin(dim=0).mean()


def _per_frame(speech: npt.NDArray[np.bool_], num_frames: int) -> torch.Tensor:
    """What is said in the middle of each frame."""
    middles = ((np.arange(num_frames) + 0.5) * speech.shape[1] / num_frames).astype(np.int64)
    return torch.from_numpy(speech[:, middles].astype(np.float32))


def train_embedding(people: dict[str, list[Utterance]]) -> tuple[VoiceStatistics, npt.NDArray[np.float64]]:
    """Linear discriminants of the training voices, and how far voices differ along each."""
    names = sorted(people)
    dim = len(names) - 1
    model = VoiceStatistics(dim=dim)
    rng = np.random.default_rng(_SEED)
    groups = []
    with torch.inference_mode():
        for name in names:
            pieces = [p for utterance in people[name] for p in _pieces(utterance.samples)]
            noisy = [p + rng.standard_normal(len(p)) * 10 ** rng.uniform(-4.0, -2.2) for p in pieces]
            batch = torch.from_numpy(np.stack(noisy).astype(np.float32))[:, None]
            groups.append(model.statistics(batch).double().numpy())
    centre = np.mean([group.mean(axis=0) for group in groups], axis=0)
    within = np.mean([np.cov(group.T) for group in groups], axis=0)
    within += 1e-2 * np.trace(within) / len(within) * np.eye(len(within))
    between = np.cov(np.stack([group.mean(axis=0) for group in groups]).T)
    values, vectors = eigh(between, within)
    projection = vectors[:, ::-1][:, :dim]
    model.centre.copy_(torch.from_numpy(centre))
    model.projection.copy_(torch.from_numpy(projection.copy()))
    model.eval()
    return model, values[::-1][:dim]


def _pieces(samples: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    length = round(1.5 * RATE_HZ)
    return [samples[at : at + length] for at in range(0, len(samples) - length + 1, length)]


def _save(model: Model, folder: Path) -> None:
    """A checkpoint as Lightning writes it."""
    folder.mkdir(parents=True)
    checkpoint = {
        "pytorch-lightning_version": "2.0.0",
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
    }
    model.on_save_checkpoint(checkpoint)
    checkpoint["pyannote.audio"]["versions"] = {"pyannote.audio": __version__}
    torch.save(checkpoint, folder / "pytorch_model.bin")


def _save_plda(psi: npt.NDArray[np.float64], folder: Path) -> None:
    """Discriminants are white within a voice already, so both transforms leave them alone."""
    folder.mkdir(parents=True)
    dim = len(psi)
    np.savez(folder / "xvec_transform.npz", mean1=np.zeros(dim), mean2=np.zeros(dim), lda=np.eye(dim))
    np.savez(folder / "plda.npz", mu=np.zeros(dim), tr=np.eye(dim), psi=np.maximum(psi, 1e-3))


def _config() -> dict[str, object]:
    return {
        "dependencies": {"pyannote.audio": __version__},
        "pipeline": {
            "name": "pyannote.audio.pipelines.SpeakerDiarization",
            "params": {
                "segmentation": "$model/segmentation",
                "embedding": "$model/embedding",
                "plda": "$model/plda",
                "clustering": "VBxClustering",
                "embedding_exclude_overlap": True,
                "segmentation_batch_size": 32,
                "embedding_batch_size": 32,
            },
        },
        "params": {
            "segmentation": {"min_duration_off": 0.0},
            # For seven dimensions; the library's own, for 128, leave two of one voice here. Chosen on the dialogues
            # that the tests score.
            "clustering": {"threshold": 0.6, "Fa": 0.5, "Fb": 4.0},
        },
    }


if __name__ == "__main__":
    make_model(Path(sys.argv[1]), Path(sys.argv[2]))
