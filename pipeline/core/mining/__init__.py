"""Events and segments in recorded talk: pure functions from who speaks when to what is worth keeping, and why."""
