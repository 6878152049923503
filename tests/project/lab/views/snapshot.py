"""State that survives a reload, signed by the server."""

from djust import LiveView
from djust.decorators import event_handler


class SnapshotView(LiveView):
    """enable_state_snapshot: the mount frame carries the signed state."""

    template_name = "lab/snapshot.html"
    login_required = False
    time_travel_enabled = True
    enable_state_snapshot = True

    def mount(self, request, **kwargs):
        self.steps = 0
        self.filter_text = ""

    @event_handler()
    def step(self, **kwargs):
        """Count one step."""
        self.steps += 1

    @event_handler()
    def set_filter(self, value: str = "", **kwargs):
        """Keep the text of the field."""
        self.filter_text = value
