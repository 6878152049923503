"""The three kinds of state that djust treats in a way of its own."""

from djust import LiveView
from djust.decorators import event_handler, state


class AssignsView(LiveView):
    """`messages` is temporary, `countries` is static, `draft` is a state() field."""

    template_name = "lab/assigns.html"
    login_required = False
    time_travel_enabled = True
    temporary_assigns = {"messages": []}
    static_assigns = ["countries"]

    draft = state("")

    def mount(self, request, **kwargs):
        self.countries = ["Austria", "Bhutan", "Chile", "Denmark"]
        self.messages = []
        self.sent = 0

    @event_handler()
    def send(self, text: str = "", **kwargs):
        """Show one message; djust empties the list after each render."""
        self.sent += 1
        self.messages = [text or f"Message {self.sent}"]

    @event_handler()
    def set_draft(self, value: str = "", **kwargs):
        """Keep what is being typed in a state() field."""
        self.draft = value

    @event_handler()
    def rename_country(self, **kwargs):
        """Change a static assign: the state has it, the page never shows it."""
        self.countries = ["Österreich", *self.countries[1:]]
        self.sent += 1
