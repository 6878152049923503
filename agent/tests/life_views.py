"""Views of the tests of lifecycles: children that come and go, state that changes while rendering, tasks that stay."""

import asyncio

from djust import LiveView
from djust.decorators import event_handler
from djust.presence import LiveCursorMixin
from djust.uploads import UploadMixin


class Child(LiveView):
    """A child of which a page has many, one after another."""

    template = "<p>{{ size }}</p>"
    login_required = False

    def mount(self, request, **kwargs):
        self.size = 7
        self.text = "x" * 1000


class Player(LiveView):
    """A child whose id is the same on every page, and which does not survive a redirect."""

    template = "<p>{{ track }}</p>"
    login_required = False

    def mount(self, request, **kwargs):
        self.track = 0

    @event_handler()
    def next_track(self, **kwargs):
        self.track += 1


class Parent(LiveView):
    """A page whose child is another one after each click."""

    template = "<div>{{ clicks }}</div>"
    login_required = False
    child_class = Child

    def mount(self, request, **kwargs):
        self.clicks = 0
        self.put("child-0")

    def put(self, identity):
        for old in list(self._child_views):
            self._unregister_child(old)
        child = self.child_class()
        child.mount(None)
        self._register_child(identity, child)

    @event_handler()
    def another(self, **kwargs):
        self.clicks += 1
        self.put(f"child-{self.clicks}")


class PinnedA(Parent):
    """A page with a player under a pinned id."""

    child_class = Player

    def put(self, identity):
        super().put("player")
        self._child_views["player"].track = 5


class PinnedB(PinnedA):
    """The page after the redirect, with its own player under the same id."""

    def put(self, identity):
        Parent.put(self, "player")


class Rendering(LiveView):
    """A page that changes its state in each render."""

    template = "<div>{{ clicks }} {{ renders }}</div>"
    login_required = False

    def mount(self, request, **kwargs):
        self.clicks = 0
        self.renders = 0

    def get_context_data(self, **kwargs):
        self.renders = self.renders + 1
        return super().get_context_data(**kwargs)

    @event_handler()
    def click(self, **kwargs):
        self.clicks += 1


class Staying(LiveView):
    """A page whose handler starts a task that outlives it."""

    template = "<div>{{ clicks }}</div>"
    login_required = False
    tasks = []

    def mount(self, request, **kwargs):
        self.clicks = 0

    @event_handler()
    async def click(self, **kwargs):
        self.clicks += 1
        Staying.tasks.append(asyncio.ensure_future(asyncio.Event().wait()))


class Ticking(LiveView):
    """A page that ticks often."""

    template = "<div>{{ ticks }}</div>"
    login_required = False
    tick_interval = 20

    def mount(self, request, **kwargs):
        self.ticks = 0

    def handle_tick(self):
        self.ticks += 1


class Together(LiveCursorMixin, LiveView):
    """A page with presence and cursors."""

    template = "<div>{{ online_count }} {{ x }}</div>"
    login_required = False
    presence_key = "the-room"

    def mount(self, request, **kwargs):
        self.x = 0
        self.left = ""
        self.track_presence()

    def handle_cursor_move(self, x, y):
        if x < 0:
            raise ValueError("off the page")
        self.x = x

    def handle_presence_leave(self, presence):
        self.left = "gone"

    @event_handler()
    def wave(self, **kwargs):
        self.broadcast_to_presence("wave", {"from": "me"})


class Uploading(UploadMixin, LiveView):
    """A page with an upload."""

    template = "<div>{{ clicks }}</div>"
    login_required = False

    def mount(self, request, **kwargs):
        self.clicks = 0
        self.allow_upload("avatar", accept=".txt", max_entries=3, max_file_size=1_000_000)


class Returning(Parent):
    """A page of two ids, of which one has a new child after each click."""

    def put(self, identity):
        super().put(f"child-{self.clicks % 2}")
