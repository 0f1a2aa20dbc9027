"""Pure functions: no files, no clock, no network, no global random state."""
