"""The speech server that runs in CosyVoice's own environment, and knows nothing of this package.

    HTTP parent (no torch)                                      engine processes, one model each
    guarding -> server -> choosing -> pool --Job--------pipe--->  engine_process -> model -> gate
                                        |  <--Reply + PCM---
                                        +-- deadlines by kill, restarts, recycling, a bounded queue

Python 3.10, the stdlib, FastAPI, uvicorn, pydantic and numpy in the versions that CosyVoice pins. Imports inside
are relative: it is started as a top-level package (`python -m worker`) with this directory's parent on the path.
"""
