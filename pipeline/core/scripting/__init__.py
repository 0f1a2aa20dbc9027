"""From a seed dialogue to a script: the steps, their validators, and the assembly of the result."""
