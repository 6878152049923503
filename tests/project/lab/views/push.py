"""Messages that one session sends to all others."""

from djust import LiveView
from djust.decorators import event_handler
from djust.push import push_to_view

VIEW = "lab.views.push.PushView"


class PushView(LiveView):
    """Open it twice: what one tab announces, the other one shows."""

    template_name = "lab/push.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        user = getattr(request, "user", None)
        self.name = user.get_username() if user is not None and user.is_authenticated else "Guest"
        self.announcements = []
        self.sent = 0
        self.banner = ""

    @event_handler()
    def announce(self, text: str = "", **kwargs):
        """Call a handler in every other session of this page."""
        self.sent += 1
        text = text.strip() or f"Announcement {self.sent}"
        push_to_view(VIEW, handler="on_announcement", payload={"text": text, "sender": self.name})

    @event_handler()
    def set_banner(self, **kwargs):
        """Set an attribute in every other session of this page."""
        self.sent += 1
        push_to_view(VIEW, state={"banner": f"Banner {self.sent} by {self.name}"})

    @event_handler()
    def on_announcement(self, text: str = "", sender: str = "", **kwargs):
        """Receive what another session announced."""
        self.announcements = [*self.announcements[-9:], {"sender": sender, "text": text}]
