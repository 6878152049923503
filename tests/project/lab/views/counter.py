"""A counter, with and without time travel."""

import asyncio
import secrets

from djust import LiveView
from djust.decorators import event_handler


class CounterView(LiveView):
    """The smallest view that opted in to time travel.

    `history` makes order visible, `secret_note` must not leave the server.
    """

    template_name = "lab/counter.html"
    login_required = False
    time_travel_enabled = True
    time_travel_excluded_fields = ["secret_note"]

    def mount(self, request, **kwargs):
        self.count = 0
        self.label = "start"
        self.history = []
        self.ticket = ""
        self.secret_note = "not for the recording"
        self._private_marker = "underscored"

    def _set(self, value):
        self.count = value
        self.history = [*self.history[-9:], value]

    @event_handler()
    def increment(self, **kwargs):
        """Add one."""
        self._set(self.count + 1)

    @event_handler()
    def decrement(self, **kwargs):
        """Take one away."""
        self._set(self.count - 1)

    @event_handler()
    def add(self, n: int = 1, **kwargs):
        """Add n, which comes as a positional argument or as text from the form."""
        self._set(self.count + n)

    @event_handler()
    async def add_later(self, n: int = 1, **kwargs):
        """Add n in a handler that is awaited."""
        await asyncio.sleep(0)
        self._set(self.count + n)

    @event_handler()
    def set_label(self, label: str = "", **kwargs):
        """Rename the counter."""
        self.label = label

    @event_handler()
    def boom(self, **kwargs):
        """Change the state and then raise: the page does not follow."""
        self.count += 1000
        raise ValueError("boom from handler")

    @event_handler()
    def nothing(self, **kwargs):
        """Change nothing; djust answers with a noop."""

    @event_handler()
    def draw(self, **kwargs):
        """Add one and draw a ticket that nobody can know: another one in each replay."""
        self._set(self.count + 1)
        self.ticket = secrets.token_hex(4)

    @event_handler()
    def greet(self, **kwargs):
        """Send a flash message and a push event along with the change."""
        self._set(self.count + 1)
        self.put_flash("info", f"The count is now {self.count}")
        self.push_event("counted", {"count": self.count})

    def not_a_handler(self, **kwargs):
        """Undecorated, so djust refuses to call it from the page."""
        self.count = -1


class PlainView(LiveView):
    """The same without the opt-in: djust keeps no history of it."""

    template_name = "lab/plain.html"
    login_required = False

    def mount(self, request, **kwargs):
        self.count = 0
        self.colour = "green"

    @event_handler()
    def increment(self, **kwargs):
        """Add one."""
        self.count += 1

    @event_handler()
    def paint(self, colour: str = "green", **kwargs):
        """Choose a colour."""
        self.colour = colour
