collect_ignore = ["soundfile_prompts.py"]  # imported inside CosyVoice's environment only: torch
