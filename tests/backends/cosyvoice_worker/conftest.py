collect_ignore = ["random_engine.py"]  # imported inside CosyVoice's environment only: torch
