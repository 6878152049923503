"""A player that stays while the page around it changes."""

from djust import LiveView
from djust.decorators import event_handler

TRACKS = ("Morning fog", "Paper boats", "Second breakfast", "Night train")


class StickyPlayer(LiveView):
    """The child that survives a live redirect, with a history of its own."""

    template_name = "lab/_player.html"
    login_required = False
    sticky = True
    sticky_id = "player"
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.track = 0
        self.playing = False
        self.title = TRACKS[0]

    @event_handler()
    def next_track(self, **kwargs):
        """Go to the next track."""
        self.track += 1
        self.title = TRACKS[self.track % len(TRACKS)]

    @event_handler()
    def play_pause(self, **kwargs):
        """Play or pause."""
        self.playing = not self.playing


class StickyPageA(LiveView):
    """The page that brings the player in."""

    template_name = "lab/sticky_a.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.likes = 0

    @event_handler()
    def like(self, **kwargs):
        """Count on the page, next to the player."""
        self.likes += 1

    @event_handler()
    def go_to_b(self, **kwargs):
        """Redirect live, which keeps the player."""
        self.live_redirect("/sticky-b/")


class StickyPageB(LiveView):
    """The page that has only a slot for the player."""

    template_name = "lab/sticky_b.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.notes = []

    @event_handler()
    def note(self, **kwargs):
        """Add a note to this page."""
        self.notes = [*self.notes, f"Note {len(self.notes) + 1}"]

    @event_handler()
    def go_to_a(self, **kwargs):
        """Redirect live back to the first page."""
        self.live_redirect("/sticky-a/")
