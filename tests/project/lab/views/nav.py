"""State that comes from the address."""

from djust import LiveView
from djust.decorators import event_handler

TABS = ("overview", "details", "reviews")


class NavView(LiveView):
    """Tabs through live_patch and dj-patch, and a live redirect away."""

    template_name = "lab/nav.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.tab = "overview"
        self.page = 1
        self.changes = 0

    def handle_params(self, params, uri):
        """Called for every change of address; not recorded by time travel."""
        tab = params.get("tab", "overview")
        self.tab = tab if tab in TABS else "overview"
        page = str(params.get("page", "1"))
        self.page = int(page) if page.isdigit() else 1
        self.changes += 1

    @event_handler()
    def open_tab(self, tab: str = "overview", **kwargs):
        """Patch the address from a handler; handle_params is not called for it."""
        self.tab = tab if tab in TABS else "overview"
        self.page = 1
        self.live_patch(params={"tab": tab, "page": "1"})

    @event_handler()
    def next_page(self, **kwargs):
        """Patch the page number."""
        self.page += 1
        self.live_patch(params={"tab": self.tab, "page": str(self.page)})

    @event_handler()
    def leave(self, **kwargs):
        """Redirect live to the counter."""
        self.live_redirect("/counter/")
