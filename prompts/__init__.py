"""Prompt texts, one folder per stage. See README.md beside this file."""
