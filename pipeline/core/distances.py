"""How far a sample is from a table: Kolmogorov-Smirnov and earth mover's distances."""

import numpy as np
import numpy.typing as npt

from pipeline.core.reference import QuantileTable
from pipeline.domain.errors import ConfigError

Floats = npt.NDArray[np.float64]

_EMD_LEVELS: Floats = (np.arange(2000) + 0.5) / 2000
_EMD_CLIP_S = 2.0


def ks_distance(sample: npt.ArrayLike, distribution: QuantileTable) -> float:
    """Kolmogorov-Smirnov distance between a sample and a table: the largest gap between their curves.

    D = max over i of max(i/n - F(x_i), F(x_i) - (i-1)/n), F linear through the table, 0 and 1 outside it.
    """
    values = _sorted_sample(sample, "KS distance")
    n = len(values)
    model = distribution.cdf_array(values)
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - model).max(), (model - steps[:-1]).max()))


def emd_s(sample: npt.ArrayLike, distribution: QuantileTable) -> float:
    """Earth mover's distance in seconds: how far the average event would have to move to fit the table.

    mean |Q_sample(p) - Q_table(p)| over 2,000 mid-points p, both clipped to +/- 2 s, so that a single very
    long pause does not drown the rest.
    """
    values = np.quantile(_sorted_sample(sample, "EMD"), _EMD_LEVELS)
    wanted = distribution.quantile_array(_EMD_LEVELS)
    moves = np.clip(values, -_EMD_CLIP_S, _EMD_CLIP_S) - np.clip(wanted, -_EMD_CLIP_S, _EMD_CLIP_S)
    return float(np.mean(np.abs(moves)))


def _sorted_sample(sample: npt.ArrayLike, who: str) -> Floats:
    values = np.sort(np.asarray(sample, dtype=np.float64))
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ConfigError(
            f"{who}: wanted a list of one or more finite numbers, got shape {list(values.shape)}"
        )
    return values
