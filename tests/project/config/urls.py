"""Addresses: one per page of `lab.pages`, plus djust's own endpoints."""

from importlib.util import find_spec

from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from djust.sse import sse_urlpatterns

from lab import hvr_views
from lab.plain_views import LoginPage, index, push_from_http
from lab.views import (
    assigns,
    async_work,
    big_state,
    components,
    counter,
    limited,
    money,
    nav,
    outside,
    planted,
    private,
    push,
    queryset,
    shop,
    snapshot,
    sticky,
    ticker,
    todo,
)

urlpatterns = [
    path("", index, name="index"),
    path("login/", LoginPage.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("shop/", shop.ShopView.as_view(), name="shop"),
    path("counter/", counter.CounterView.as_view(), name="counter"),
    path("plain/", counter.PlainView.as_view(), name="plain"),
    path("todo/", todo.TodoView.as_view(), name="todo"),
    path("ticker/", ticker.TickerView.as_view(), name="ticker"),
    path("assigns/", assigns.AssignsView.as_view(), name="assigns"),
    path("big-state/", big_state.BigStateView.as_view(), name="big-state"),
    path("money/", money.MoneyView.as_view(), name="money"),
    path("queryset/", queryset.QuerySetView.as_view(), name="queryset"),
    path("components/", components.ComponentsView.as_view(), name="components"),
    path("bound/", components.BoundView.as_view(), name="bound"),
    path("sticky-a/", sticky.StickyPageA.as_view(), name="sticky-a"),
    path("sticky-b/", sticky.StickyPageB.as_view(), name="sticky-b"),
    path("limited/", limited.LimitedView.as_view(), name="limited"),
    path("private/", private.PrivateView.as_view(), name="private"),
    path("planted/", planted.PlantedView.as_view(), name="planted"),
    path("nav/", nav.NavView.as_view(), name="nav"),
    path("async/", async_work.AsyncView.as_view(), name="async"),
    path("push/", push.PushView.as_view(), name="push"),
    path("outside/", outside.OutsideView.as_view(), name="outside"),
    path("push/send/", push_from_http, name="push-send"),
    path("snapshot/", snapshot.SnapshotView.as_view(), name="snapshot"),
    path("hvr/", hvr_views.HvrView.as_view(), name="hvr"),
    path("djust/", include(sse_urlpatterns)),
]

# Bug-capture replay; djust 1.0 has no such module.
if find_spec("djust.urls"):
    urlpatterns.append(path("", include("djust.urls")))

if settings.DEBUG:
    urlpatterns.append(path("_djust/observability/", include("djust.observability.urls")))
