"""The example project in a worker whose inspectors may lag behind by ``QUEUE_BYTES`` only."""

import os

from config.asgi import application
from djust_inspector import hub

hub.QUEUE_BYTES = int(os.environ.get("QUEUE_BYTES", hub.QUEUE_BYTES))

__all__ = ["application"]
