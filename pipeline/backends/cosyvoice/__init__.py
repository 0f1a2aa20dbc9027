"""CosyVoice, in an environment of its own, behind HTTP.

    this environment                     CosyVoice's environment (Python 3.10, torch)
    client  --POST /v1/tts-->  worker: HTTP parent --pipe--> engine --> model

CosyVoice pins versions that cannot live beside ours, and its bundled servers answer 200 with no audio for every
voice that is given as a prompt. So the server is our own (`worker`, started by `humdial speech serve-cosyvoice`
or by `docker/cosyvoice`), and nothing here imports torch.
"""
