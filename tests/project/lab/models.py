"""Two small tables, so that views can hold model instances and QuerySets."""

from django.db import models


class Product(models.Model):
    """Something the shop sells."""

    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    stock = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sku"]

    def __str__(self):
        return self.name


class Visit(models.Model):
    """A row that a page writes, so that a step has SQL to show."""

    page = models.CharField(max_length=80)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self):
        return f"{self.page} at {self.at:%H:%M:%S}"
