"""A proxy between a writer and its server that cuts the connection at the moment of a commit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CutProxy:
    """Hands bytes on until it is armed and a COMMIT comes by.

    Attributes:
        port: where it listens on loopback.
        cut: None to hand everything on; "before" to lose the next COMMIT, "after" to lose the answer to it.
    """

    def __init__(self, server_port: int) -> None:
        self.cut: str | None = None
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                threading.Thread(target=self._forth, args=(client, server), daemon=True).start()
                threading.Thread(target=self._back, args=(client, server), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self.cut == "before" and b"COMMIT" in data:
                    break
                if self.cut == "after" and b"COMMIT" in data:
                    self.cut = "now"  # the next answer is that of the commit
                server.sendall(data)
        _hang_up(client, server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if self.cut == "now":
                    break
                client.sendall(data)
        _hang_up(client, server)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxied(url: str) -> Iterator[tuple[CutProxy, str]]:
    """A proxy before the server of a URL, and the URL that leads through it."""
    port = url.rpartition("@127.0.0.1:")[2].partition("/")[0]
    proxy = CutProxy(int(port))
    try:
        yield proxy, url.replace(f":{port}/", f":{proxy.port}/")
    finally:
        proxy.close()
