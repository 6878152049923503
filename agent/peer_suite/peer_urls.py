"""Addresses that djust's own tests expect of a project."""

from django.urls import include, path
from djust.sse import sse_urlpatterns

urlpatterns = [
    path("djust/", include(sse_urlpatterns)),
    path("", include("djust.urls")),
    path("_djust/observability/", include("djust.observability.urls")),
]
