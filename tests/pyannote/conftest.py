"""Modules beside the tests import torch, which the everyday environment does not have."""

collect_ignore = ["mixtures.py", "tiny_model.py", "voice_statistics.py"]
