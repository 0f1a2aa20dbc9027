"""Speech from servers: our CosyVoice worker, OpenAI-compatible ones, CosyVoice's own; and speech to text.

    wiring --settings--> synthesizer --dialect--> pool: which server, how often --> transport: one exchange
                              |                      guard: how many at once, closed or open
                              '-- waves, word_times: what came back

A dialect maps a request to HTTP and an answer to a take; everything about servers that fail is the pool's.
"""

from pipeline.backends.speech_servers.cosyvoice import CosyVoice, CosyVoiceSettings
from pipeline.backends.speech_servers.cosyvoice_fastapi import CosyVoiceFastApi, CosyVoiceFastApiSettings
from pipeline.backends.speech_servers.openai_speech import OpenAISpeech, OpenAISpeechSettings
from pipeline.backends.speech_servers.servers import Address, SpeechServer, find_servers
from pipeline.backends.speech_servers.transcription import ServedTranscriber, TranscriberSettings

__all__ = [
    "Address",
    "CosyVoice",
    "CosyVoiceFastApi",
    "CosyVoiceFastApiSettings",
    "CosyVoiceSettings",
    "OpenAISpeech",
    "OpenAISpeechSettings",
    "ServedTranscriber",
    "SpeechServer",
    "TranscriberSettings",
    "find_servers",
]
