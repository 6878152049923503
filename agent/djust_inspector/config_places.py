"""Where a configuration key is written: file and line of a setting, line of a class attribute.

Only source text is read, nothing of the project is run. What is put together at run time
(``LIVEVIEW_CONFIG.update(...)``, a setting of an environment) has no place.
"""

from __future__ import annotations

import ast
import os
import sys
from typing import Any

from .walker import _class_dict

#: Larger source files are not read.
_MOST = 2_000_000


class _Written:
    """Which names a source file writes, and in which lines. The last one counts."""

    def __init__(self, tree: ast.Module) -> None:
        #: Names of the module (``""``) and of each class, by its qualified name.
        self.names: dict[str, dict[str, int]] = {}
        #: Members of dictionaries of the module: ``LIVEVIEW_CONFIG``, ``rate_limit``.
        self.members: dict[tuple[str, str], int] = {}
        #: ``from … import *``: line, dots, module.
        self.stars: list[tuple[int, int, str]] = []
        self._body(tree.body, "")

    def _body(self, body: list[ast.stmt], scope: str) -> None:
        for statement in body:
            if isinstance(statement, ast.ClassDef):
                self._body(statement.body, f"{scope}.{statement.name}" if scope else statement.name)
            elif isinstance(statement, (ast.If, ast.Try, ast.With)):
                for part in ("body", "orelse", "finalbody"):
                    self._body(getattr(statement, part, []), scope)
            elif isinstance(statement, ast.ImportFrom):
                if any(item.name == "*" for item in statement.names):
                    self.stars.append((statement.lineno, statement.level, statement.module or ""))
            elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
                self._assign(statement.target, statement.value, scope)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    self._assign(target, statement.value, scope)

    def _assign(self, target: ast.expr, value: ast.expr, scope: str) -> None:
        if isinstance(target, ast.Name):
            self.names.setdefault(scope, {})[target.id] = target.lineno
            if not scope:
                for key, line in _members(value):
                    self.members[target.id, key] = line
        elif not scope and isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            key = getattr(target.slice, "value", None)
            if type(key) is str:
                self.members[target.value.id, key] = target.lineno


def _members(value: ast.expr) -> list[tuple[str, int]]:
    if isinstance(value, ast.Dict):
        return [(k.value, k.lineno) for k in value.keys if isinstance(k, ast.Constant) and type(k.value) is str]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        return [(word.arg, word.value.lineno) for word in value.keywords if word.arg is not None]
    return []


_known: dict[str, tuple[float, _Written]] = {}


def _read(path: str) -> _Written | None:
    try:
        stamp = os.stat(path)
        known = _known.get(path)
        if known is not None and known[0] == stamp.st_mtime:
            return known[1]
        if stamp.st_size > _MOST:
            return None
        with open(path, encoding="utf-8") as file:
            written = _Written(ast.parse(file.read()))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    if len(_known) > 2000:
        _known.clear()
    _known[path] = (stamp.st_mtime, written)
    return written


def _file(module: Any) -> str | None:
    path = getattr(module, "__file__", None)
    return path if type(path) is str and path.endswith(".py") else None


def setting(name: str, key: str | None = None) -> tuple[str, int] | None:
    """File and line where the setting `name`, or its member `key`, is written last."""
    from . import discovery

    module = getattr(discovery.settings(), "SETTINGS_MODULE", None)
    return _in_module(module, name, key, 0) if type(module) is str else None


def _in_module(module: str, name: str, key: str | None, depth: int) -> tuple[str, int] | None:
    path = _file(sys.modules.get(module))
    written = _read(path) if path is not None else None
    if path is None or written is None:
        return None
    line = written.names.get("", {}).get(name) if key is None else written.members.get((name, key))
    for star, level, other in written.stars if depth < 5 else []:
        if line is None or star > line:
            found = _in_module(_absolute(module, level, other), name, key, depth + 1)
            if found is not None:
                return found
    return None if line is None else (path, line)


def _absolute(module: str, level: int, other: str) -> str:
    if not level:
        return other
    package = module if hasattr(sys.modules.get(module), "__path__") else module.rpartition(".")[0]
    for _ in range(level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{other}" if other else package


def attribute(cls: type, key: str) -> tuple[str, int] | None:
    """File and line of a class attribute."""
    path = _file(sys.modules.get(_class_dict(cls).get("__module__") or ""))
    written = _read(path) if path is not None else None
    line = written.names.get(cls.__qualname__, {}).get(key) if written is not None else None
    return None if path is None or line is None else (path, line)
