"""A worker process and the channel to it: octets go both ways, and whoever holds it never waits for it."""

from __future__ import annotations

import contextlib
import os
import select
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection

from signing.bulk.fork_server import fork_server
from signing.bulk.task import Task

NOT_STARTED = "a verification process did not start; is the machine out of memory or processes?"
_READ = 256 * 1024  # octets taken at a time, of hundreds of rows

Serve = Callable[[Connection, Task], None]


def serve(channel: Connection, task: Task) -> None:
    """:func:`signing.bulk.worker.serve`, imported there and not here: who lets others judge does not need the verifier."""
    from signing.bulk import worker

    worker.serve(channel, task)


class Peer:
    """Starts on being made; raises :class:`OSError` where the system has no room for one more process."""

    def __init__(self, serve: Serve, task: Task) -> None:
        self._channel, theirs = fork_server().Pipe()
        try:
            self._process = fork_server().Process(target=serve, args=(theirs, task), daemon=True)
            self._process.start()
        except (EOFError, OSError) as exc:
            self._channel.close()
            raise OSError(NOT_STARTED) from exc
        finally:
            theirs.close()
        os.set_blocking(self._channel.fileno(), False)
        self._unsent: deque[memoryview] = deque()
        self.pid = self._process.pid or 0

    def alive(self) -> bool:
        return self._process.is_alive()

    def send(self, pieces: Iterable[bytes]) -> None:
        """Sends what the channel takes now, and keeps the rest for :meth:`flush`."""
        self._unsent.extend(map(memoryview, pieces))
        self.flush()

    def flush(self) -> None:
        try:
            while self._unsent:
                sent = os.write(self._channel.fileno(), self._unsent[0])
                if sent == len(self._unsent[0]):
                    self._unsent.popleft()
                else:
                    self._unsent[0] = self._unsent[0][sent:]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # nobody reads it any more, which :meth:`received` tells

    def received(self) -> bytes:
        """What has arrived, some of it, or nothing; raises :class:`EOFError` once the process has ended and all it said was read."""
        try:
            data = os.read(self._channel.fileno(), _READ)
        except BlockingIOError:
            return b""
        if not data:
            raise EOFError
        return data

    def awaited(self) -> tuple[int, int]:
        """Descriptor and events to wait for."""
        return self._channel.fileno(), select.POLLIN | (select.POLLOUT if self._unsent else 0)

    def kill(self) -> None:
        """From any thread, at any time."""
        with contextlib.suppress(ValueError):  # ended by now
            self._process.kill()

    def end(self) -> None:
        """Kills the process and lets go of it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._channel.close()
