"""200 KB of state, of which one row changes at a time."""

from djust import LiveView
from djust.decorators import event_handler

ROWS = 400
ROW_CHARS = 470
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath")


def row_text(number):
    """Return ROW_CHARS characters that differ from row to row."""
    words = []
    length = 0
    step = number
    while length < ROW_CHARS:
        word = WORDS[(step * 5 + len(words)) % len(WORDS)] + str(step % 97)
        words.append(word)
        length += len(word) + 1
        step = step * 31 + 7
    return " ".join(words)[:ROW_CHARS]


class BigStateView(LiveView):
    """Holds far more than djust is ready to send as one time-travel entry."""

    template_name = "lab/big_state.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.rows = [
            {"id": number, "text": row_text(number), "edits": 0} for number in range(ROWS)
        ]
        self.edits = 0
        self.last = None

    @event_handler()
    def edit_row(self, row_id: int = 0, **kwargs):
        """Change one row and leave the other 399 alone."""
        rows = list(self.rows)
        row = rows[row_id]
        rows[row_id] = {**row, "edits": row["edits"] + 1}
        self.rows = rows
        self.edits += 1
        self.last = row_id

    @event_handler()
    def edit_next(self, **kwargs):
        """Change the row after the one changed last."""
        self.edit_row(row_id=0 if self.last is None else (self.last + 1) % ROWS)

    @event_handler()
    def drop_half(self, **kwargs):
        """Remove every other row."""
        self.rows = self.rows[::2]

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        # The page shows a few rows; the state keeps them all.
        context["shown"] = [
            {"id": row["id"], "edits": row["edits"], "text": row["text"][:60]}
            for row in self.rows[:8]
        ]
        context["row_count"] = len(self.rows)
        return context
