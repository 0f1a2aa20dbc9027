"""The embedded synthesizer: espeak-ng in processes of its own.

    request --spelling, prosody--> engine request --process/worker--> PCM + events
            --silence--> trimmed samples --alignment--> words --> clip

The engine is GPL-3.0-or-later: it stays a separately installed extra, is never linked into this process,
and is talked to through pipes only.
"""

from pipeline.backends.espeak.synthesizer import EspeakSynthesizer

__all__ = ["EspeakSynthesizer"]
