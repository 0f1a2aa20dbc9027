"""Every exception that this package raises on purpose.

    PipelineError
     ├── ConfigError               the caller asked for something impossible: exit 2
     ├── RecordError               one record is bad: it goes to quarantine, the run goes on
     ├── ReplyAwaitedError         a batch has not answered yet: the dialogue waits
     └── BackendError              an engine or server failed
          ├── TransientBackendError   worth another try (timeout, 429, 503)
          ├── BadTakeError            an engine answered, but not with speech: another seed may do
          └── TerminalBackendError    the same request can never succeed

A message names *who* complains, *what* about, what it *got*, what it *wanted*, and the *remedy*.
"""

from pipeline.domain.flaws import Flaw
from pipeline.domain.quarantine import Reason, Refusal


class PipelineError(Exception):
    """Root of the tree; the command line prints its message on one line without a traceback."""


class ConfigError(PipelineError):
    """The configuration or a command's arguments ask for something that cannot be done."""


class RecordError(PipelineError):
    """One record cannot be used. Carries the reason code that its quarantine row will show."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail

    def refusal(self, stage: str, record_id: str, payload: str) -> Refusal:
        """The quarantine row of the record that this error is about."""
        return Refusal(
            stage=stage, record_id=record_id, reason=self.reason, detail=self.detail, payload=payload
        )


class BackendError(PipelineError):
    """A speech engine, language model or other backend failed."""


class TransientBackendError(BackendError):
    """The same request may succeed later. `retry_after_s` is the server's own wish, where it said one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadTakeError(BackendError):
    """A speech engine answered with something that is no take. Another seed or another engine may do better."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        super().__init__(f"{flaw.value}: {detail}")
        self.flaw = flaw
        self.detail = detail


class TerminalBackendError(BackendError):
    """The same request will fail again: do not retry."""


class ReplyAwaitedError(PipelineError):
    """A reply was asked for in a batch and has not come yet: its dialogue is neither made nor refused."""
