from __future__ import annotations
from typing import Any
from .hub import HUB, Inspector
from .turns import safe_dumps
class Refused(Exception):
    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message); self.code=code; self.message=message; self.hint=hint
def answer(inspector: Inspector, number: Any, result: Any) -> None:
    text = safe_dumps({"t":"answer","id":number,"ok":False,"error":{"code":result.code,"message":result.message,"hint":result.hint}})
    with HUB.lock: inspector.put_always(text)
async def run(inspector, command):
    answer(inspector, command.get("id"), Refused("unsupported","not yet"))
