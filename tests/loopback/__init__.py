"""A contract test server: OpenAI's chat completions over real HTTP on 127.0.0.1.

It proves that our requests are what the protocol allows and that we survive what servers do. It proves nothing
about vLLM's or anybody's engine, speed or text.

    requests   what is accepted, and what is refused as vLLM refuses it
    answers    useful ones by the embedded author, schema-valid nonsense by llguidance
    faults     what goes wrong, by rate and seed
    server     puts them together and counts
"""

from tests.loopback.faults import Fault, FaultPlan
from tests.loopback.server import Exchange, LoopbackServer

__all__ = ["Exchange", "Fault", "FaultPlan", "LoopbackServer"]
