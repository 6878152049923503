"""Values that JSON has no type for."""

import datetime
import uuid
from decimal import Decimal

from djust import LiveView
from djust.decorators import event_handler

from lab.models import Product


class MoneyView(LiveView):
    """Each attribute is of another type; a jump through djust loses most of them."""

    template_name = "lab/money.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.amount = Decimal("10.50")
        self.due = datetime.date(2026, 3, 1)
        self.created = datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
        self.reference = uuid.UUID("12345678-1234-5678-1234-567812345678")
        self.tags = {"draft", "internal"}
        self.pair = (1, "two")
        self.raw = b"\x00\x01binary"
        self.ratio = 0.25
        self.product = Product.objects.order_by("sku").first()
        self.changes = 0

    @event_handler()
    def raise_amount(self, **kwargs):
        """Add 0.10, exactly."""
        self.amount += Decimal("0.10")
        self.changes += 1

    @event_handler()
    def postpone(self, **kwargs):
        """Move the due date by a week."""
        self.due += datetime.timedelta(days=7)
        self.changes += 1

    @event_handler()
    def new_reference(self, **kwargs):
        """Derive a new UUID, the same one each time the page is used alike."""
        self.reference = uuid.uuid5(self.reference, "next")
        self.changes += 1

    @event_handler()
    def toggle_tag(self, tag: str = "urgent", **kwargs):
        """Put a tag into the set or take it out."""
        self.tags = self.tags ^ {tag}
        self.changes += 1

    @event_handler()
    def append_byte(self, **kwargs):
        """Make the bytes longer."""
        self.raw += b"!"
        self.changes += 1

    @event_handler()
    def next_product(self, **kwargs):
        """Take the next product from the database."""
        following = Product.objects.order_by("sku")
        if self.product is not None:
            following = following.filter(sku__gt=self.product.sku)
        self.product = following.first() or Product.objects.order_by("sku").first()
        self.changes += 1

    @event_handler()
    def make_nan(self, **kwargs):
        """Put NaN and infinity into the state: not valid JSON, yet djust sends it."""
        self.ratio = float("nan")
        self.limit = float("inf")
        self.changes += 1

    @event_handler()
    def clear_nan(self, **kwargs):
        """Go back to an ordinary number."""
        self.ratio = 0.25
        self.limit = 1.0
        self.changes += 1

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        # Text for the page only; a template engine prints sets and bytes badly.
        context["shown"] = [
            {"slug": name, "type": type(getattr(self, name)).__name__, "text": text}
            for name, text in (
                ("amount", str(self.amount)),
                ("due", str(self.due)),
                ("created", str(self.created)),
                ("reference", str(self.reference)),
                ("tags", ", ".join(sorted(map(str, self.tags)))),
                ("pair", str(self.pair)),
                ("raw", str(getattr(self, "raw", "missing")) if hasattr(self, "raw") else "missing"),
                ("ratio", str(self.ratio)),
                ("product", str(self.product)),
            )
            if hasattr(self, name)
        ]
        return context
