"""The ``config`` frame."""
from __future__ import annotations
from typing import Any

def view_classes() -> list[type]:
    """All loaded LiveView classes that are not djust's own and not abstract."""
    import sys
    base = getattr(sys.modules.get("djust.live_view"), "LiveView", None)
    if base is None:
        return []
    found, waiting = {}, [base]
    while waiting:
        for cls in type.__subclasses__(waiting.pop()):
            if id(cls) not in found:
                found[id(cls)] = cls
                waiting.append(cls)
    out = {}
    for cls in found.values():
        if cls.__module__.split(".")[0] == "djust" or cls.__dict__.get("abstract") is True:
            continue
        live = getattr(sys.modules.get(cls.__module__), cls.__qualname__.split(".")[0], None)
        if "." not in cls.__qualname__ and live is not cls:
            continue  # a class that a reload replaced
        out[f"{cls.__module__}.{cls.__qualname__}"] = cls
    return [out[name] for name in sorted(out)]

def describe() -> str:
    return '"keys":[],"views":[],"related":[]'
