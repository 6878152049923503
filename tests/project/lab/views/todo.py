"""A list of rows with ids, a form, and handlers that fail."""

from djust import LiveView
from djust.decorators import event_handler


class TodoView(LiveView):
    """Insert, remove and move rows; the form and the import can raise."""

    template_name = "lab/todo.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.items = [
            {"id": 1, "title": "Water the fern", "done": False},
            {"id": 2, "title": "Answer Priya", "done": True},
            {"id": 3, "title": "Book the train", "done": False},
            {"id": 4, "title": "Fix the tap", "done": False},
        ]
        self.next_id = 5
        self.form_error = ""

    def _index(self, item_id):
        for index, item in enumerate(self.items):
            if item["id"] == item_id:
                return index
        raise LookupError(f"No item with id {item_id}")

    def _new(self, title):
        item = {"id": self.next_id, "title": title, "done": False}
        self.next_id += 1
        return item

    def _move(self, item_id, by):
        index = self._index(item_id)
        target = min(max(index + by, 0), len(self.items) - 1)
        items = list(self.items)
        items.insert(target, items.pop(index))
        self.items = items

    @event_handler()
    def add_item(self, title: str = "", **kwargs):
        """Append a row; an empty title is refused with a message."""
        if not title.strip():
            self.form_error = "A title is needed."
            return
        self.form_error = ""
        self.items = [*self.items, self._new(title.strip())]

    @event_handler()
    def insert_first(self, **kwargs):
        """Insert a row at the top, which shifts every other row."""
        self.items = [self._new("Something urgent"), *self.items]

    @event_handler()
    def toggle(self, item_id: int = 0, **kwargs):
        """Tick a row off or on."""
        index = self._index(item_id)
        self.items = [
            {**item, "done": not item["done"]} if i == index else item
            for i, item in enumerate(self.items)
        ]

    @event_handler()
    def remove(self, item_id: int = 0, **kwargs):
        """Remove a row."""
        self.items = [item for item in self.items if item["id"] != item_id]

    @event_handler()
    def move_up(self, item_id: int = 0, **kwargs):
        """Move a row one place up."""
        self._move(item_id, -1)

    @event_handler()
    def move_down(self, item_id: int = 0, **kwargs):
        """Move a row one place down."""
        self._move(item_id, 1)

    @event_handler()
    def reverse(self, **kwargs):
        """Turn the list round."""
        self.items = self.items[::-1]

    @event_handler()
    def import_items(self, **kwargs):
        """Add two of three rows and raise at the third."""
        for title in ("Imported: renew passport", "Imported: call the bank", None):
            if title is None:
                raise RuntimeError("Import failed at row 3: the title is missing")
            self.items = [*self.items, self._new(title)]
