"""Pure mappings from dialogues to the files that trainers and evaluators read; one module per format.

A mapping names files and what is in them (`files.py`); it writes none. Shared by all formats: the clock of
an export, segments, TextGrids, the manifest.
"""
