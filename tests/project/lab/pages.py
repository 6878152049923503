"""What the index says about each page."""

# (group, [(address, title, what it shows)])
PAGES = (
    (
        "Start here",
        (
            ("/shop/", "Shop", "A small shop with a cart, Decimal totals and a coupon. The total goes wrong: find out why."),
            ("/counter/", "Counter", "The smallest view with time travel: typed and positional parameters, a handler that raises after it changed the state."),
            ("/todo/", "To-do list", "Rows with ids that are added, moved and removed; a form; an import that fails half-way."),
        ),
    ),
    (
        "State",
        (
            ("/plain/", "Plain", "No time travel opt-in: djust itself records nothing here."),
            ("/assigns/", "Assigns", "temporary_assigns, static_assigns and state() fields, each with its own trap."),
            ("/big-state/", "Big state", "200 KB of state of which one row changes per click."),
            ("/money/", "Typed values", "Decimal, datetime, UUID, set, tuple, bytes, NaN and a model instance."),
            ("/queryset/", "QuerySet", "Evaluated and unevaluated QuerySets in the state, and steps that run SQL."),
            ("/snapshot/", "Snapshot", "enable_state_snapshot: the state survives a reload, signed."),
        ),
    ),
    (
        "Parts of a page",
        (
            ("/components/", "Components", "LiveComponents made in mount(); a jump through djust destroys them."),
            ("/bound/", "Bound components", "Components declared on the class, with their own State."),
            ("/sticky-a/", "Sticky player", "Two pages that share a player which survives going from one to the other."),
            ("/nav/", "Navigation", "live_patch, live_redirect and changes that come from the address."),
        ),
    ),
    (
        "Outside events",
        (
            ("/ticker/", "Ticker", "State that changes every 700 ms without anybody clicking."),
            ("/async/", "Async", "start_async, @background, an async handler, and one whose error nobody sees."),
            ("/outside/", "Outside changes", "A thread, a task, the render and another page change the state where no step sees it."),
            ("/push/", "Server push", "A message that crosses to every other session, also from plain HTTP."),
        ),
    ),
    (
        "Gates and limits",
        (
            ("/limited/", "Limits", "@rate_limit, @permission_required and a flood that ends in close code 4429."),
            ("/private/", "Private", "login_required, and secrets in the state that must be redacted."),
            ("/planted/", "Planted secrets", "A secret on each way by which one could leave the process; none may be seen."),
            ("/hvr/", "Hot view replacement", "Edit lab/hvr_views.py and watch the mounted view change class."),
        ),
    ),
)


def grouped():
    """Return the catalogue as plain dicts, ready for a template."""
    return [
        {
            "name": name,
            "pages": [
                {"url": url, "slug": url.strip("/"), "title": title, "text": text}
                for url, title, text in pages
            ],
        }
        for name, pages in PAGES
    ]
