"""How Prefect behaves under `humdial`: set before Prefect is imported, and only where the user has not.

Prefect's home (`~/.prefect`) is left alone: its profile may name the user's server, which is then used. What
would grow or go stale there, the database of the embedded server, is kept elsewhere (`embedded_server`).
"""

import os
from collections.abc import MutableMapping

DEFAULTS = {
    # Silence on the terminal: `humdial` prints its own progress and errors. A server still gets the logs.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
    # No telemetry.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The recorder of task runs writes in batches: a third of the CPU time per task run.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "2",
}


def apply_defaults(environment: MutableMapping[str, str] = os.environ) -> None:
    """Fill in `DEFAULTS` where nothing is set.

    >>> environment = {"DO_NOT_TRACK": "0"}
    >>> apply_defaults(environment)
    >>> environment["DO_NOT_TRACK"], environment["PREFECT_SERVER_LOGGING_LEVEL"]
    ('0', 'CRITICAL')
    """
    for name, value in DEFAULTS.items():
        environment.setdefault(name, value)
