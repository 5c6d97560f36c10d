"""What is changed for the whole process, and by several threads at once."""

from __future__ import annotations

import threading
from abc import abstractmethod
from contextlib import AbstractContextManager


class SharedChange(AbstractContextManager[None]):
    """Changes something of the process as long as anybody asks for it.

    If each of two threads changed it and put back what it had found, the later one
    would put back the change of the other for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0

    @abstractmethod
    def change(self) -> None:
        """Change it, and note what it was."""

    @abstractmethod
    def put_back(self) -> None:
        """Make it what it was."""

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self.change()
            self._users += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self.put_back()
