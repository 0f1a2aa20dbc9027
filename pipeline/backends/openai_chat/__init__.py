"""An author on any server that speaks OpenAI's chat completions: vLLM, OpenAI itself, others.

    request --wire--> JSON body --endpoint--> HTTP reply --wire--> ChatReply
                                    |
                        author: which endpoint, how often, how long

The only importer of the package `openai`; its exceptions are translated in `failures` and stop there.
"""

from pipeline.backends.openai_chat.author import OpenAIAuthor
from pipeline.backends.openai_chat.endpoint import Server, find_key

__all__ = ["OpenAIAuthor", "Server", "find_key"]
