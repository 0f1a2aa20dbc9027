"""Who hears when the words of a known text are spoken; each in a file of its own, and each optional."""
