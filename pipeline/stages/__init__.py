"""One file per stage, all of one shape.

NAME, VERSION      VERSION is bumped when the meaning of the output changes
Config             the stage's section of the run configuration
Deps               what it needs from the outside, as Protocols
run(shard, config, deps) -> Shard
"""
