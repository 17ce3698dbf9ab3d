"""The order in which the nodes of a graph can be built."""

from __future__ import annotations

from collections.abc import Mapping


def arranged(sources: Mapping[str, Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """The names, inputs before what uses them, and those that stand on a circle or behind one.

    Args:
        sources: of each name the names at its ports; what is not there is left out.
    """
    waiting = {name: sum(source in sources for source in ports.values()) for name, ports in sources.items()}
    users: dict[str, list[str]] = {name: [] for name in sources}
    for name, ports in sources.items():
        for source in ports.values():
            if source in users:
                users[source].append(name)
    ready = [name for name, count in waiting.items() if count == 0]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        for user in users[name]:
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return order, [name for name, count in waiting.items() if count > 0]
