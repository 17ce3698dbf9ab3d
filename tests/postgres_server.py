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

#: A server refuses to run as root.
USER = "nobody"


def programs() -> Path | None:
    """The folder of the server's programs, the newest where there are several."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    return Path(found).resolve().parent if found else None


@contextmanager
def running(bin_: Path) -> Iterator[str]:
    """Start a server; the value is the URL of its database, without the name of a journal."""
    folder = Path(tempfile.mkdtemp(prefix="clawd-postgres-"))
    as_root = os.geteuid() == 0
    account = pwd.getpwnam(USER)
    user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if as_root else {}
    if as_root:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    try:
        subprocess.run(
            [bin_ / "initdb", "-D", data, "-U", "clawd", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True, capture_output=True, cwd=folder, **user,
        )  # fmt: skip
        with (data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write(f"listen_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\nfsync = off\n")
        port = _free_port()
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [bin_ / "postgres", "-D", data, "-p", str(port)], stdout=log, stderr=log, cwd=folder, **user
            )
            try:
                _wait(server, port, folder / "log")
                yield f"postgresql://clawd@127.0.0.1:{port}/postgres"
            finally:
                server.send_signal(signal.SIGINT)  # "fast": sessions are ended, then it stops
                server.wait(timeout=30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg  # noqa: PLC0415

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"postgresql://clawd@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
        else:
            return
