"""State that changes by itself."""

from djust import LiveView
from djust.decorators import event_handler


class TickerView(LiveView):
    """Counts every 700 ms until it is paused."""

    template_name = "lab/ticker.html"
    login_required = False
    time_travel_enabled = True
    tick_interval = 700

    def mount(self, request, **kwargs):
        self.ticks = 0
        self.running = True
        self.marks = []

    def handle_tick(self):
        """Called by djust, not recorded by its time travel."""
        if self.running:
            self.ticks += 1

    @event_handler()
    def toggle(self, **kwargs):
        """Pause or go on."""
        self.running = not self.running

    @event_handler()
    def mark(self, **kwargs):
        """Note the current tick."""
        self.marks = [*self.marks[-7:], self.ticks]

    @event_handler()
    def reset(self, **kwargs):
        """Start again at zero."""
        self.ticks = 0
        self.marks = []
