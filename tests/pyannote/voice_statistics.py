"""A voice as means and deviations of its cepstrum, projected to where the training voices differ: 30 kB, no network.

In a module of its own, because a pyannote checkpoint names the class that it is an instance of.
"""

import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from torchaudio.transforms import MFCC

from pipeline.domain.diarization import RATE_HZ

NUM_CEPSTRA = 40
HOP = 160


class VoiceStatistics(Model):
    """Mean and deviation of 40 cepstral coefficients over the voiced frames, then one linear projection."""

    def __init__(self, dim: int, sample_rate: int = RATE_HZ, num_channels: int = 1) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=None)
        self.save_hyperparameters()
        mel = {"n_fft": 512, "win_length": 400, "hop_length": HOP, "n_mels": 64}
        self.cepstrum = MFCC(sample_rate, n_mfcc=NUM_CEPSTRA, log_mels=True, melkwargs=mel)
        self.register_buffer("centre", torch.zeros(2 * NUM_CEPSTRA))
        self.register_buffer("projection", torch.eye(2 * NUM_CEPSTRA, dim))
        self.specifications = Specifications(
            problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0
        )

    @property
    def dimension(self) -> int:
        """Of an embedding."""
        return int(self.hparams.dim)

    def statistics(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """`[batch, 80]` of `[batch, 1, num_samples]`; weights are by frame, at any rate.

        Quiet frames count for nothing: silence says nothing about a voice.
        """
        cepstra = self.cepstrum(waveforms[:, 0])
        loud = cepstra[:, :1]
        used = (loud > loud.amax(dim=-1, keepdim=True) - 60.0).float()
        if weights is not None:
            used = used * torch.nn.functional.interpolate(weights[:, None], cepstra.shape[-1])
        total = used.sum(dim=-1).clamp(min=1.0)
        mean = (cepstra * used).sum(dim=-1) / total
        deviation = (((cepstra - mean[..., None]) ** 2 * used).sum(dim=-1) / total).clamp(min=1e-6).sqrt()
        mean = torch.cat((mean[:, 1:], torch.zeros_like(mean[:, :1])), dim=-1)  # level is no voice
        return torch.cat((mean, deviation), dim=-1)

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """Embeddings, `[batch, dim]`."""
        return (self.statistics(waveforms, weights) - self.centre) @ self.projection
