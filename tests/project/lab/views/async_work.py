"""Work that ends after the event that began it."""

import asyncio
import time

from djust import LiveView
from djust.decorators import background, event_handler


class AsyncView(LiveView):
    """A report, a background export, an async fetch, and a silent failure."""

    template_name = "lab/async.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.status = "idle"
        self.report = ""
        self.exported = 0
        self.fetched = 0
        self.failure = ""
        self.attempts = 0

    @event_handler()
    def make_report(self, **kwargs):
        """Answer at once and finish in the background."""
        self.status = "working"
        self.start_async(self._write_report, name="report")

    def _write_report(self):
        time.sleep(0.4)
        self.report = f"{len(self.report) + 1} page report"
        self.status = "done"

    @event_handler()
    @background
    def export(self, **kwargs):
        """Run the whole handler in the background."""
        time.sleep(0.2)
        self.exported += 1
        self.status = "exported"

    @event_handler()
    async def fetch(self, **kwargs):
        """An async handler: djust awaits it before it renders."""
        await asyncio.sleep(0.05)
        self.fetched += 1

    @event_handler()
    def fail_quietly(self, **kwargs):
        """Start work that raises; the wire shows nothing of it."""
        self.attempts += 1
        self.status = "failing"
        self.start_async(self._fail, name="failing")

    def _fail(self):
        time.sleep(0.1)
        raise RuntimeError("the report printer is on fire")

    def handle_async_result(self, name="", result=None, error=None, **kwargs):
        """Take note of the error, on the djust versions that report it here."""
        if error is not None:
            self.failure = str(error)
