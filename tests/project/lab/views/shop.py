"""A small shop, with a bug that is worth hunting.

The total is right at first and wrong later. Nothing raises and no log line
tells: it takes the steps in order to see which one left a value behind.
"""

import logging
from decimal import Decimal

from djust import LiveView
from djust.decorators import event_handler

from lab.models import Product

logger = logging.getLogger(__name__)

COUPONS = {"SPRING10": Decimal("0.10"), "HALF": Decimal("0.50")}
FREE_SHIPPING_FROM = Decimal("50.00")
SHIPPING = Decimal("4.90")


class ShopView(LiveView):
    """Products, a cart with Decimal totals, and a coupon form."""

    template_name = "lab/shop.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        self.products = [
            {
                "id": product.pk,
                "sku": product.sku,
                "name": product.name,
                "price": product.price,
                "stock": product.stock,
            }
            for product in Product.objects.all()
        ]
        self.lines = []
        self.coupon = ""
        self.coupon_error = ""
        self.subtotal = Decimal("0.00")
        self.discount = Decimal("0.00")
        self.shipping = Decimal("0.00")
        self.total = Decimal("0.00")
        self.order_number = 0

    def _recompute(self):
        self.subtotal = sum((line["sum"] for line in self.lines), Decimal("0.00"))
        free = not self.lines or self.subtotal >= FREE_SHIPPING_FROM
        self.shipping = Decimal("0.00") if free else SHIPPING
        self.total = self.subtotal - self.discount + self.shipping

    def _set_quantity(self, product_id, quantity):
        product = next(item for item in self.products if item["id"] == product_id)
        line = {
            "id": product_id,
            "name": product["name"],
            "price": product["price"],
            "quantity": quantity,
            "sum": product["price"] * quantity,
        }
        if any(old["id"] == product_id for old in self.lines):
            lines = [line if old["id"] == product_id else old for old in self.lines]
        else:
            lines = [*self.lines, line]
        self.lines = [each for each in lines if each["quantity"] > 0]
        self._recompute()

    def _quantity(self, product_id):
        return next((line["quantity"] for line in self.lines if line["id"] == product_id), 0)

    @event_handler()
    def add_to_cart(self, product_id: int = 0, **kwargs):
        """Put one more into the cart."""
        self._set_quantity(product_id, self._quantity(product_id) + 1)

    @event_handler()
    def take_out(self, product_id: int = 0, **kwargs):
        """Take one out of the cart."""
        self._set_quantity(product_id, self._quantity(product_id) - 1)

    @event_handler()
    def remove_line(self, product_id: int = 0, **kwargs):
        """Remove a product from the cart, however many there are."""
        self._set_quantity(product_id, 0)

    @event_handler()
    def apply_coupon(self, code: str = "", **kwargs):
        """Take a percentage off."""
        rate = COUPONS.get(code.strip().upper())
        if rate is None:
            self.coupon_error = f"There is no coupon “{code.strip()}”."
            return
        self.coupon = code.strip().upper()
        self.coupon_error = ""
        self.discount = (self.subtotal * rate).quantize(Decimal("0.01"))
        logger.info("coupon applied")
        self._recompute()

    @event_handler()
    def order(self, **kwargs):
        """Place the order, unless it makes no sense."""
        if not self.lines:
            raise ValueError("Cannot order an empty cart")
        if self.total < 0:
            raise ArithmeticError(f"Refusing to pay the customer {-self.total}")
        self.order_number += 1
        self.lines = []
        self.coupon = ""
        self.discount = Decimal("0.00")
        self._recompute()
