"""A view in a module of its own, meant to be edited while it is mounted.

Tests replace the words between quotes and whole lines below; keep them short
and unique.
"""

from djust import LiveView
from djust.decorators import event_handler

GREETING = "Hello"


class HvrView(LiveView):
    """Edit this file and the mounted view changes class without losing its state."""

    template_name = "lab/hvr.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.count = 0
        self.greeting = GREETING

    @event_handler()
    def increment(self, **kwargs):
        """Change the step and click again: the count goes on from where it was."""
        self.count += 1

    @event_handler()
    def greet(self, name: str = "world", **kwargs):
        """Remove this handler or its parameter, and djust refuses to swap."""
        self.greeting = f"{GREETING}, {name}"
