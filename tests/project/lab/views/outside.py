"""State that is changed where no event of the page sees it."""

import asyncio
import threading
import time

from djust import LiveView
from djust.decorators import event_handler

#: One list in the state of every page: who changes it in place changes all of them.
BOARD = []


class OutsideView(LiveView):
    """A thread, a task, the render and another page write to it behind its steps' backs."""

    template_name = "lab/outside.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.board = BOARD
        self.clicks = 0
        self.renders = 0
        self.measured = 0
        self.forecast = "unknown"
        self.progress = 0

    def get_context_data(self, **kwargs):
        """A habit that is worth finding: the state is written while the page is rendered."""
        self.renders = self.clicks
        return super().get_context_data(**kwargs)

    @event_handler()
    def click(self, **kwargs):
        """Nothing but a step, whose beginning shows what has changed since the last one."""
        self.clicks += 1

    @event_handler()
    def post(self, **kwargs):
        """Write on the board that all pages share, in place."""
        self.board.append(f"Note {len(self.board) + 1}")

    @event_handler()
    def measure(self, **kwargs):
        """Let a plain thread write later; djust knows nothing of it."""
        thread = threading.Thread(target=self._measure, name="thermometer", daemon=True)
        thread.start()
        self.measuring = thread.name

    def _measure(self):
        time.sleep(0.05)
        self.measured += 20

    @event_handler()
    async def look_ahead(self, **kwargs):
        """Let a task of the event loop write later."""
        self._task = asyncio.get_running_loop().create_task(self._look_ahead())

    async def _look_ahead(self):
        await asyncio.sleep(0.05)
        self.forecast = "sunny"

    @event_handler()
    def work(self, **kwargs):
        """Work that djust knows, and that tells of its progress before it ends."""
        self.start_async(self._work, name="long work")

    async def _work(self):
        self.progress = 50
        await asyncio.sleep(1.5)
        self.progress = 100
