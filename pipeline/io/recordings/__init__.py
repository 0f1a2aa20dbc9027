"""Real recordings: the declaration that names them, their audio, and files that say who speaks when."""
