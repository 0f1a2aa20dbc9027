"""Files: reading and writing them, whole or not at all. Nothing here decides anything."""
