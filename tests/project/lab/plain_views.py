"""Ordinary Django views: the index, the sign-in page, a push from plain HTTP."""

from django.contrib.auth.views import LoginView
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

import djust
from djust.push import push_to_view

from lab.pages import grouped


def index(request):
    """Show every page with one sentence on what it is for."""
    return render(
        request,
        "lab/index.html",
        {"groups": grouped(), "djust_version": djust.__version__, "user": request.user},
    )


class LoginPage(LoginView):
    """Sign in as alice or bob with one click."""

    template_name = "lab/login.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["failed"] = bool(context["form"].errors)
        # The rendered templates get plain values; a form object is not one.
        context.pop("form")
        return context


@require_POST
def push_from_http(request):
    """Push to every session of the push page from outside any live session."""
    text = request.POST.get("text", "Hello from a plain request")[:200]
    push_to_view(
        "lab.views.push.PushView", handler="on_announcement", payload={"text": text, "sender": "HTTP"}
    )
    return JsonResponse({"pushed": text})
