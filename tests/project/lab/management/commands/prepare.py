"""`manage.py prepare`: migrate and create the demo users and products."""

from decimal import Decimal

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.core.management.base import BaseCommand

from lab.models import Product

USERS = ("alice", "bob")
PRODUCTS = (
    ("MUG", "Stoneware mug", "14.50", 12),
    ("NOTE", "Dotted notebook", "9.90", 30),
    ("LAMP", "Desk lamp", "64.00", 4),
    ("PLANT", "Potted fern", "22.25", 8),
    ("PEN", "Fountain pen", "38.75", 15),
    ("TEA", "Darjeeling, 100 g", "11.20", 20),
)


class Command(BaseCommand):
    """Safe to run again: existing users and products are kept as they are."""

    help = "Migrate the database and create demo users (alice, bob; password demo) and products."

    def handle(self, *args, **options):
        call_command("migrate", verbosity=0, interactive=False)
        users = get_user_model()
        for name in USERS:
            if not users.objects.filter(username=name).exists():
                users.objects.create_user(name, f"{name}@example.test", "demo")
        # Only alice may restock, so that a permission can be seen refused.
        restock = Permission.objects.get(codename="change_product", content_type__app_label="lab")
        users.objects.get(username="alice").user_permissions.add(restock)
        for sku, name, price, stock in PRODUCTS:
            Product.objects.get_or_create(
                sku=sku,
                defaults={"name": name, "price": Decimal(price), "stock": stock},
            )
        self.stdout.write("Database ready: users alice and bob, password demo.")
