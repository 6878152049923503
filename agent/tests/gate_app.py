"""The example project with djust's consumer routed twice: behind the scaffold's middleware, and without any."""

from config.asgi import application as scaffold
from config.asgi import django_asgi_app
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path
from djust.websocket import LiveViewConsumer

bare = URLRouter([path("ws/bare/", LiveViewConsumer.as_asgi())])


async def websocket(scope, receive, send):
    """Either of the two, by path."""
    chosen = bare if scope["path"] == "/ws/bare/" else scaffold
    return await chosen(scope, receive, send)


application = ProtocolTypeRouter({"http": django_asgi_app, "websocket": websocket})
