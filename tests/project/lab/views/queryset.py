"""QuerySets in the state, and handlers that run SQL."""

from djust import LiveView
from djust.decorators import event_handler

from lab.models import Product, Visit


class QuerySetView(LiveView):
    """A QuerySet in a public attribute is evaluated by djust's own snapshot."""

    template_name = "lab/queryset.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.products = Product.objects.order_by("sku")
        self.cheapest = ""
        self.visits = 0

    @event_handler()
    def only_cheap(self, **kwargs):
        """Assign a fresh QuerySet that nothing has evaluated yet."""
        self.products = Product.objects.filter(price__lt=20).order_by("sku")

    @event_handler()
    def all_products(self, **kwargs):
        """Show them all again."""
        self.products = Product.objects.order_by("sku")

    @event_handler()
    def find_cheapest(self, **kwargs):
        """Run one query."""
        product = Product.objects.order_by("price").first()
        self.cheapest = product.name if product else "none"

    @event_handler()
    def visit(self, **kwargs):
        """Write one row and count them, two statements."""
        Visit.objects.create(page="queryset")
        self.visits = Visit.objects.count()

    @event_handler()
    def n_plus_one(self, **kwargs):
        """One query for the list and one more per row."""
        names = []
        for pk in Product.objects.values_list("pk", flat=True):
            names.append(Product.objects.get(pk=pk).name)
        self.cheapest = f"{len(names)} names, one query each"
