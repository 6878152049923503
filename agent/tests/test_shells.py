"""What surrounds the live part of a page: kept at the page load, matched with the page, cleaned, completed."""

import json
import re
import time

import pytest
import staging
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from djust_inspector import guard, shells
from djust_inspector.hub import size_of
from djust_inspector.shells import Load, Loads, clean, stylesheets
from harness import TOKEN, Inspector, Page, attached, run, unnamed

COUNTER = "lab.views.counter.CounterView"


@pytest.fixture(autouse=True)
def no_loads():
    shells.LOADS.clear()
    shells._read.clear()


class Visitor(Page):
    """A page whose browser has the cookies of an HTTP client that has loaded it."""

    def __init__(self, client):
        super().__init__()
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self.scope["headers"].append((b"cookie", cookies.encode()))


async def load(path, client=None):
    client = client or Client()
    response = await sync_to_async(client.get)(path, headers={"host": "localhost:8000"})
    assert response.status_code == 200, response
    return client, response.content.decode()


def whole(frame, inside):
    return frame["page"]["before"] + inside + frame["page"]["after"]


def test_a_page_that_mounts_has_its_document_around_it():
    async def check():
        async with attached() as inspector:
            client, document = await load("/counter/?page=2&token=hush")
            page = await Visitor(client).mount(COUNTER, "/counter/")
            mount = await inspector.step(kind="mount", session=page.id)
            await inspector.until(lambda: inspector.frames("page"), "the page")
            [frame] = inspector.frames("page")
            assert frame["session"] == page.id
            assert unnamed(frame["page"]["url"]) == "http://localhost:8000/counter/?page=2&token=[redacted]"
            before, after = frame["page"]["before"], frame["page"]["after"]
            assert before.lstrip().lower().startswith("<!doctype html>")
            assert re.search(r"<div dj-root [^>]*>$", before) and after.startswith("</div>")
            assert after.rstrip().endswith("</html>") and "<aside" in after and "<nav>" in before
            assert 'data-test="count"' not in before + after
            assert re.search(r'data-test="count"[^>]*>0<', mount["html"]["text"])
            # Nothing is lost but the scripts and the csrf token.
            text = re.sub(r"(?is)<script\b.*?</script>", "", document)
            assert len(before) + len(after) < len(text)
            assert "<script" not in before + after
            for token in re.findall(r'csrf-token" content="(\w+)"', document):  # some versions of djust put it there
                assert token not in json.dumps(frame)
            styles = {style["href"]: style["text"] for style in frame["page"]["styles"]}
            assert "--page:" in styles["/static/lab/style.css"]

            await page.event("increment")
            step = await inspector.step(kind="event")
            assert ">1<" in step["html"]["text"]
            assert whole(frame, step["html"]["text"]).count("dj-root") == 1
            assert len(inspector.frames("page")) == 1, "once for each page"
            await page.close()

    run(check())


def test_an_inspector_that_comes_later_gets_the_page_too():
    async def check():
        client, _ = await load("/counter/")
        page = await Visitor(client).mount(COUNTER, "/counter/")
        inspector = await Inspector().attach()
        [frame] = inspector.frames("page")
        assert frame["session"] == page.id and frame["page"]["styles"]
        order = [f["t"] for f in inspector.got]
        assert order.index("session") < order.index("page") < order.index("state")
        await inspector.close()
        await page.close()

    run(check())


def test_a_page_gets_its_own_load_and_nobody_elses():
    async def check():
        mine, _ = await load("/counter/")
        other, _ = await load("/counter/")
        async with attached() as inspector:
            page = await Visitor(mine).mount(COUNTER, "/counter/")
            stranger = await Page().mount(COUNTER, "/counter/")  # has loaded nothing
            elsewhere = await Visitor(other).mount("lab.views.counter.PlainView", "/plain/")
            await inspector.until(lambda: len(inspector.steps(kind="mount")) == 3, "the mounts")
            assert [f["session"] for f in inspector.frames("page")] == [page.id]
            for each in (page, stranger, elsewhere):
                await each.close()

    run(check())


def test_a_document_of_a_visitor_without_a_session_is_given_to_nobody_else(monkeypatch):
    # A first load has no key where the session is the cookie itself.
    monkeypatch.setattr(settings, "SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies")

    async def check(expected):
        shells.LOADS.clear()
        await load("/counter/?visitor=another")
        async with attached() as inspector:
            page = await Page().mount(COUNTER, "/counter/")  # no cookie either, and it has loaded nothing
            await page.event("increment")
            await inspector.step(kind="event")
            assert len(inspector.frames("page")) == expected
            await page.close()

    run(check(1))  # in development there is one visitor
    with staging.settings(monkeypatch, {"token": TOKEN, "record": {"share": 1.0}}):
        run(check(0))


def test_live_navigation_stays_in_the_document_that_was_loaded():
    async def check():
        client, _ = await load("/sticky-a/")
        await load("/sticky-b/", client)
        page = await Visitor(client).mount("lab.views.sticky.StickyPageA", "/sticky-a/")
        first = await Inspector().attach()
        await page.send({"type": "live_redirect_mount", "view": "", "params": {}, "url": "/sticky-b/"})
        mount = await first.step(kind="mount", name="/sticky-b/")
        # The live part is the inside of the page's root, whatever child views are in it.
        assert "dj-root" not in mount["html"]["text"] and len(mount["html"]["text"]) > 200
        second = await Inspector().attach()
        for inspector in (first, second):
            [frame] = inspector.frames("page")
            assert frame["session"] == page.id and frame["page"]["url"].endswith("/sticky-a/")
            await inspector.close()
        await page.close()

    run(check())


@pytest.mark.parametrize("path", ["/counter/", "/plain/", "/todo/", "/shop/", "/components/", "/nav/", "/ticker/"])
def test_each_sort_of_page_can_be_split(path):
    client = Client()
    response = client.get(path, headers={"host": "localhost:8000"})
    load = shells.LOADS.find(path, client.session.session_key)
    assert load.document == response.content.decode()
    before, after = shells._split(load)
    inside = load.document[len(before) : len(load.document) - len(after)]
    assert load.document == before + inside + after
    assert before.endswith(">") and re.search(r"\bdj-(root|view)\b[^<]*$", before) and after.startswith("</")


def test_a_document_without_a_live_part_gives_nothing():
    load = Load("<p>hello</p>", "http", "localhost", "/", "")
    assert shells._split(load) is None


def test_kept_pages_are_bounded_in_number_and_size():
    loads = Loads()
    for n in range(shells.MAX_PAGES + 3):
        loads.add("k", Load("x", "http", "h", f"/{n}", ""))
    assert len(loads.entries) == shells.MAX_PAGES and loads.size == shells.MAX_PAGES * size_of("x")
    assert loads.find("/2", "k") is None and loads.find("/3", "k") is not None
    big = "x" * (shells.MAX_DOCUMENT - size_of(""))
    for n in range(6):
        loads.add("k", Load(big, "http", "h", f"/big{n}", ""))
    assert loads.size <= shells.MAX_TEXT and loads.find("/big5", "k") is not None
    loads.add("k", Load(big + "xx", "http", "h", "/big5", ""))
    assert loads.find("/big5", "k") is None, "the one that was kept is not this page any more"
    assert loads.size == sum(size_of(entry.document) for entry in loads.entries.values())


@pytest.mark.parametrize(
    "dirty, expected",
    [
        ("a<script>x</script>b<SCRIPT src=x></SCRIPT >c", "abc"),
        ("a<script>never closed", "a"),
        ('<meta name="csrf-token" content="abc">', '<meta name="csrf-token" content="[redacted]">'),
        ("<meta content=abc name=csrf-token>", "<meta content=[redacted] name=csrf-token>"),
        ('<body data-api-key="abc" class="x">', '<body data-api-key="[redacted]" class="x">'),
        ("""<body hx-headers='{"X-CSRFToken": "abc"}'>""", """<body hx-headers='{"X-CSRFToken": "[redacted]"}'>"""),
        (
            '<body hx-headers="{&quot;X-CSRFToken&quot;: &quot;abc&quot;}">',
            '<body hx-headers="{&quot;X-CSRFToken&quot;: &quot;[redacted]&quot;}">',
        ),
        ('<a href="/reset?token=abc">x</a>', '<a href="/reset?token=[redacted]">x</a>'),
        ('<input name="csrfmiddlewaretoken" value="abc">', '<input name="csrfmiddlewaretoken" value="[redacted]">'),
        ('<meta name="viewport" content="width=1">', '<meta name="viewport" content="width=1">'),
        ('<p title="a > b">1 < 2', '<p title="a > b">1 < 2'),
    ],
)
def test_scripts_and_secrets_are_left_out(dirty, expected):
    assert unnamed(clean(dirty)) == expected


def linked(*hrefs, rel="stylesheet"):
    document = "".join(f'<link rel="{rel}" href="{href}">' for href in hrefs)
    return Load(document, "http", "localhost:8000", "/", "")


def test_only_static_files_of_this_server_are_read():
    assert stylesheets(linked("https://cdn.example/static/lab/style.css", "/media/x.css", "style.css", "")) == []
    assert stylesheets(linked("/static/lab/style.css", rel="preload")) == []
    own = stylesheets(linked("/static/lab/style.css?v=1", "http://localhost:8000/static/lab/style.css#x"))
    assert [href for href, text in own if "--page:" in text] == [
        "/static/lab/style.css?v=1",
        "http://localhost:8000/static/lab/style.css#x",
    ]


@pytest.mark.parametrize("name", ["../../config/settings.py", "%2e%2e/%2e%2e/config/settings.py", "/etc/hostname", "no.css", ""])
def test_nothing_else_on_the_disk_is_read(name):
    assert stylesheets(linked(f"/static/{name}")) == [(f"/static/{name}", "")]
    assert not guard.errors


def test_large_stylesheets_are_named_without_their_text(tmp_path, monkeypatch):
    for n in range(6):
        (tmp_path / f"{n}.css").write_text("x" * (shells.MAX_STYLE - 10))
    (tmp_path / "huge.css").write_text("x" * (shells.MAX_STYLE + 1))
    monkeypatch.setattr(settings, "STATICFILES_DIRS", [tmp_path])
    from django.contrib.staticfiles import finders

    finders.get_finder.cache_clear()
    try:
        sizes = [len(text) for _, text in stylesheets(linked("/static/huge.css", *(f"/static/{n}.css" for n in range(6))))]
    finally:
        finders.get_finder.cache_clear()
    assert sizes == [0] + [shells.MAX_STYLE - 10] * 4 + [0, 0]


def test_a_stylesheet_that_changed_is_read_again(tmp_path, monkeypatch):
    file = tmp_path / "a.css"
    monkeypatch.setattr("django.contrib.staticfiles.finders.find", lambda name: str(file))
    file.write_text("one")
    assert stylesheets(linked("/static/a.css")) == [("/static/a.css", "one")]
    file.write_text("other")
    assert stylesheets(linked("/static/a.css")) == [("/static/a.css", "other")]


def test_a_page_load_costs_little_while_nobody_is_attached():
    """Some microseconds; the bound is loose, since it shares the machine."""
    from djust.live_view import LiveView

    client = Client()
    view = LiveView()
    view.request = client.get("/counter/", headers={"host": "localhost:8000"}).wsgi_request
    document = "x" * 100_000
    begun = time.perf_counter()
    for _ in range(1000):
        shells._loaded(view, document)
    each = (time.perf_counter() - begun) / 1000
    assert shells.LOADS.find("/counter/", client.session.session_key).document is document, "kept, not copied"
    assert shells.LOADS.size == size_of(document)
    assert each < 200e-6, each
