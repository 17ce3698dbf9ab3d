"""Bars that many processes read and nobody copies.

On one machine they lie in a file that has no name: it exists as long as a process has it open, so nothing is left
behind, whoever dies and however.
"""

from __future__ import annotations

import io
import mmap
import pickle
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.reduction import DupFd
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Panel

Bytes = NDArray[np.uint8]

_ALIGNMENT = 64  # a line of the cache


@dataclass(frozen=True, eq=False)
class Packed:
    """A panel with its arrays apart, by the fifth version of pickle (PEP 574).

    Attributes:
        rest: all but the arrays.
        arrays: the bytes of each array, not copied where it was in one piece already.
    """

    rest: bytes
    arrays: tuple[Bytes, ...]

    @classmethod
    def of(cls, panel: Panel) -> Packed:
        buffers: list[pickle.PickleBuffer] = []
        rest = io.BytesIO()
        _Pickler(rest, protocol=5, buffer_callback=buffers.append).dump(panel)
        return cls(rest.getvalue(), tuple(np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers))

    def over(self, arrays: Sequence[Bytes]) -> Panel:
        """The panel, over the same bytes elsewhere; it can be written where they can."""
        panel: Panel = pickle.loads(self.rest, buffers=arrays)
        return panel


class _Pickler(pickle.Pickler):
    """Takes out every array, those too that have to be put in one piece first."""

    def reducer_override(self, value: object) -> Any:
        if isinstance(value, np.ndarray) and not value.flags.c_contiguous:
            return np.ascontiguousarray(value).__reduce_ex__(5)
        return NotImplemented


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array lies in the file."""

    size: int
    offset: int


class _Detachable(Protocol):
    def detach(self) -> int: ...


class SharedBars:
    """Panels in a file without a name. It travels to a process only as an argument of its start.

    Args:
        panels: the bars; they are written once.

    Raises:
        OSError: when there is no room for them.
    """

    def __init__(self, panels: Sequence[Panel]) -> None:
        self._panels: list[tuple[bytes, list[_Place]]] = []
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="clawd-bars-")  # noqa: SIM115  (closed by close)
        try:
            for packed in map(Packed.of, panels):
                self._panels.append((packed.rest, [self._write(array) for array in packed.arrays]))
            self._file.write(b"\0")  # an empty file cannot be mapped
            self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def _write(self, array: Bytes) -> _Place:
        offset = -(-self._file.tell() // _ALIGNMENT) * _ALIGNMENT
        self._file.seek(offset)
        self._file.write(array.data)
        return _Place(array.size, offset)

    def close(self) -> None:
        """Let go of the file; it is gone when the last process has."""
        self._file.close()

    def __reduce__(self) -> tuple[Callable[..., OpenedBars], tuple[object, ...]]:
        return OpenedBars, (DupFd(self._file.fileno()), self._panels)


class OpenedBars:
    """The same panels in another process."""

    def __init__(self, file: _Detachable, panels: list[tuple[bytes, list[_Place]]]) -> None:
        # Private pages can be written, though nobody does: compiled code that takes arrays which cannot be would be
        # compiled once more for them.
        self._memory = mmap.mmap(file.detach(), 0, access=mmap.ACCESS_COPY)
        self._panels = panels

    def panels(self) -> tuple[Panel, ...]:
        """The panels, over the file's own pages."""
        return tuple(
            Packed(rest, ()).over([np.frombuffer(self._memory, np.uint8, at.size, at.offset) for at in places])
            for rest, places in self._panels
        )


class _Unprotected:
    """An array's memory, with leave to write to it. NumPy keeps this alive, and this the array."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values
        address, _ = values.__array_interface__["data"]
        self.__array_interface__ = {**values.__array_interface__, "data": (address, False)}


def unprotected(values: Bytes) -> Bytes:
    """The same array without the mark that forbids writing, for compiled code that is only compiled for such."""
    return np.asarray(_Unprotected(values))
