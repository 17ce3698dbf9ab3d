"""Bars that many processes read and nobody copies.

On one machine they lie in a file that has no name: it exists as long as a process has it open, so nothing is left
behind, whoever dies and however.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.reduction import DupFd
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Panel

_FIELDS = ("times", "open", "high", "low", "close", "volume", "funding")
_ALIGNMENT = 64  # a line of the cache


@dataclass(frozen=True, eq=False)
class Outline:
    """A panel and its arrays apart from each other.

    Attributes:
        panel: the panel, its arrays empty.
        arrays: in the order of the fields, then the series in theirs; each in one piece.
    """

    panel: Panel
    arrays: tuple[NDArray[Any], ...]

    @classmethod
    def of(cls, panel: Panel) -> Outline:
        arrays = [getattr(panel, name) for name in _FIELDS] + list(panel.series.values())
        nothing = {name: np.empty(0, getattr(panel, name).dtype) for name in _FIELDS}
        series = {name: np.empty(0) for name in panel.series}
        return cls(
            replace(panel, **nothing, series=series),  # type: ignore[arg-type]  # the names are those of the arrays
            tuple(np.ascontiguousarray(values) for values in arrays),
        )

    def filled(self, arrays: Sequence[NDArray[Any]]) -> Panel:
        """The panel, over other arrays of the same content."""
        fields = dict(zip(_FIELDS, arrays, strict=False))
        series = dict(zip(self.panel.series, arrays[len(_FIELDS) :], strict=True))
        return replace(self.panel, **fields, series=series)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array lies in the file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
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
        self._outlines: list[tuple[Outline, list[_Place]]] = []
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="clawd-bars-")  # noqa: SIM115  (closed by close)
        try:
            for outline in map(Outline.of, panels):
                places = [self._write(values) for values in outline.arrays]
                self._outlines.append((replace(outline, arrays=()), places))
            self._file.flush()
        except BaseException:
            self._file.close()
            raise

    def _write(self, values: NDArray[Any]) -> _Place:
        offset = -(-self._file.tell() // _ALIGNMENT) * _ALIGNMENT
        self._file.seek(offset)
        self._file.write(values.data if values.size else b"")
        return _Place(values.dtype, values.shape, offset)

    def close(self) -> None:
        """Let go of the file; it is gone when the last process has."""
        self._file.close()

    def __reduce__(self) -> tuple[Callable[..., OpenedBars], tuple[object, ...]]:
        return OpenedBars, (DupFd(self._file.fileno()), self._outlines)


class OpenedBars:
    """The same panels in another process."""

    def __init__(self, file: _Detachable, outlines: list[tuple[Outline, list[_Place]]]) -> None:
        # Private pages can be written, though nobody does: compiled code that takes arrays which cannot be would be
        # compiled once more for them.
        self._memory = mmap.mmap(file.detach(), 0, access=mmap.ACCESS_COPY)
        self._outlines = outlines

    def panels(self) -> tuple[Panel, ...]:
        """The panels, over the file's own pages."""
        return tuple(outline.filled([self._array(place) for place in places]) for outline, places in self._outlines)

    def _array(self, place: _Place) -> NDArray[Any]:
        count = int(np.prod(place.shape))
        return np.frombuffer(self._memory, place.dtype, count, place.offset).reshape(place.shape)


class _Unprotected:
    """An array's memory, with leave to write to it. NumPy keeps this alive, and this the array."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values
        address, _ = values.__array_interface__["data"]
        self.__array_interface__ = {**values.__array_interface__, "data": (address, False)}


def unprotected(values: NDArray[Any]) -> NDArray[Any]:
    """The same array without the mark that forbids writing, for compiled code that is only compiled for such."""
    return np.asarray(_Unprotected(values))
