"""A handler with a rate limit, one with a permission, and a flood."""

from djust import LiveView
from djust.decorators import event_handler, permission_required, rate_limit


class LimitedView(LiveView):
    """Three clicks are allowed at once, then one every two seconds."""

    template_name = "lab/limited.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.calls = 0
        self.free = 0
        self.restocked = 0

    @rate_limit(rate=0.5, burst=3)
    @event_handler()
    def expensive(self, **kwargs):
        """Limited per caller, over all tabs; the third refusal closes the socket."""
        self.calls += 1

    @permission_required("lab.change_product")
    @event_handler()
    def restock(self, **kwargs):
        """Allowed for alice only."""
        self.restocked += 1

    @event_handler()
    def free_call(self, **kwargs):
        """Not limited by itself; the page's flood button uses it."""
        self.free += 1
