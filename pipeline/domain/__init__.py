"""Types only: the words of this project.

Imports the standard library and pydantic; numpy only where a type holds an array.
"""
