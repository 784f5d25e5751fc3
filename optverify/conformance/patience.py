"""How long a search may go on: seconds of the processor, so that a busy machine finds the same."""

from __future__ import annotations

import time


class Patience:
    """So many seconds from now on."""

    def __init__(self, seconds: float) -> None:
        self.until = time.process_time() + seconds

    @property
    def gone(self) -> bool:
        """True once they are over."""
        return time.process_time() > self.until

    def but(self, seconds: float) -> Patience:
        """The same, less so many seconds that are kept for what comes after."""
        return Patience(self.until - seconds - time.process_time())
