"""From samples to seconds and to another sampling rate."""


def seconds_at(sample: int, sampling_rate: int) -> float:
    """Seconds in whole microseconds: fine enough to get the sample back at any rate below 500 kHz.

    >>> seconds_at(100_001, 24_000)
    4.166708
    """
    return round(sample / sampling_rate, 6)


def sample_at(sample: int, sampling_rate: int, target_hz: int) -> int:
    """The sample at `target_hz` that is nearest in time.

    >>> sample_at(36_001, 24_000, 16_000)
    24001
    """
    return round(sample * target_hz / sampling_rate)


def length_at(num_samples: int, sampling_rate: int, target_hz: int) -> int:
    """Samples at `target_hz` that cover the whole: rounded up, so that no time lies after the file's end."""
    return -(-num_samples * target_hz // sampling_rate)
