"""A real PostgreSQL server on loopback, for the tests of one session, with a data folder that goes with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: A server refuses to run as root.
USER = "nobody"


def programs() -> Path | None:
    """The folder of the server's programs, the newest where there are several."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    return Path(found).resolve().parent if found else None


class Server:
    """A server with a data folder of its own.

    Attributes:
        url: of its database, without the name of a journal.
    """

    def __init__(self, bin_: Path, *, fsync: bool = False) -> None:
        self._bin = bin_
        # Where another user can reach it, and short enough for the name of a socket.
        self._folder = Path(tempfile.mkdtemp(prefix="clawd-postgres-", dir="/tmp"))
        self._data = self._folder / "data"
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}
        self.url = f"postgresql://clawd@127.0.0.1:{self._port}/postgres"
        if os.geteuid() == 0:
            account = pwd.getpwnam(USER)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        make = [bin_ / "initdb", "-D", self._data, "-U", "clawd", "--auth=trust", "--no-sync"]
        subprocess.run(
            [*make, "--encoding=UTF8", "--locale=C"], check=True, capture_output=True, cwd=self._folder, **self._user
        )
        with (self._data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self._port}\n"
                f"unix_socket_directories = '{self._folder}'\nfsync = {'on' if fsync else 'off'}\n"
            )

    def start(self) -> None:
        """Start it and wait until it answers."""
        import psycopg  # noqa: PLC0415

        log = self._folder / "log"
        with log.open("ab") as file:
            command = [self._bin / "postgres", "-D", self._data]
            self._process = subprocess.Popen(command, stdout=file, stderr=file, cwd=self._folder, **self._user)
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline, log.read_text(errors="replace")
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends the sessions first, SIGQUIT leaves everything as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def running(bin_: Path, *, fsync: bool = False) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    server = Server(bin_, fsync=fsync)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.remove()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
