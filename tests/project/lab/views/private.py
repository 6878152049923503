"""A page for signed-in users, with values that must stay out of recordings."""

from djust import LiveView
from djust.decorators import event_handler


class PrivateView(LiveView):
    """login_required: an anonymous mount is sent to the sign-in page."""

    template_name = "lab/private.html"
    login_required = True
    time_travel_enabled = True
    time_travel_excluded_fields = ["diary"]

    def mount(self, request, **kwargs):
        self.username = request.user.get_username()
        self.visits = 1
        self.diary = "Only I may read this."
        # Names that a recorder redacts without being told.
        self.api_token = "demo-token-that-must-not-be-recorded"
        self.password = "demo-password-that-must-not-be-recorded"

    @event_handler()
    def visit(self, **kwargs):
        """Count another visit."""
        self.visits += 1

    @event_handler()
    def change_password(self, password: str = "", **kwargs):
        """Take a secret as a parameter."""
        self.password = password
        self.visits += 1
