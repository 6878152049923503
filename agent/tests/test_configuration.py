"""The config frame: the documented keys and those beside them, with value, default, source and advice."""

import json
import sys
import types

from django.test import override_settings
from djust.config import LiveViewConfig, config
from djust_inspector import config_advice, config_places, configuration, sessions
from djust_inspector.config_advice import Attribute, Setting
from harness import Page, run

CLASS = """template_name template tick_interval temporary_assigns static_assigns login_required permission_required
login_url on_mount api_name api_auth_classes sticky sticky_id use_actors enable_state_snapshot streaming_render
time_travel_enabled abstract allowed_model_fields""".split()
SETTINGS = """css_framework event_security max_message_size rate_limit serialization_max_depth strict_serialization
jit_serialization jit_cache_backend hot_reload hvr_enabled hook_namespacing websocket_compression suppress_checks
service_worker""".split()


def described():
    return json.loads("{" + configuration.describe() + "}")


def key(name, found=None):
    return next(k for k in (found or described())["keys"] if k["key"] == name)


def whys(entry):
    return [(advice["level"], advice["why"]) for advice in entry["advice"]]


def says(entry, level, part):
    return any(advice["level"] == level and part in advice["why"] for advice in entry["advice"])


class Restored:
    """djust's merged configuration and its class defaults, put back at the end."""

    def __enter__(self):
        self.merged, self.defaults = dict(config._config), json.loads(json.dumps(LiveViewConfig._defaults))

    def __exit__(self, *_):
        config._config.clear()
        config._config.update(self.merged)
        LiveViewConfig._defaults["service_worker"].update(self.defaults["service_worker"])


def test_exactly_the_33_documented_keys():
    keys = [k["key"] for k in described()["keys"]]
    assert len(keys) == 33 and set(keys) == set(CLASS) | set(SETTINGS)
    fields = {"key", "group", "type", "default", "value", "source", "file", "line", "advice", "doc"}
    for entry in described()["keys"] + described()["related"]:
        assert set(entry) == fields and entry["doc"]
    for entry in described()["keys"]:
        assert entry["group"] == ("class" if entry["key"] in CLASS else "setting")
        for advice in entry["advice"]:
            assert set(advice) == {"level", "why", "do", "line"}
            assert advice["level"] in ("risky", "ineffective", "ignored", "deprecated", "note")


def test_sources_of_settings():
    found = described()
    assert key("rate_limit", found)["source"] == "LIVEVIEW_CONFIG"
    assert key("suppress_checks", found)["source"] == "DJUST_CONFIG"
    assert key("css_framework", found)["source"] == "default"
    with override_settings(LIVEVIEW_CONFIG={"hook_namespacing": "strict"}):
        entry = key("hook_namespacing")
        assert entry["value"] == "lax" and says(entry, "ignored", "DJUST_CONFIG only")
        assert entry["advice"][0]["line"] == 'DJUST_CONFIG["hook_namespacing"] = \'strict\''
    with Restored():
        config.set("event_security", "open")
        entry = key("event_security")
        assert entry["value"] == "open" and entry["source"] == "set at run time"
        assert says(entry, "risky", "no event handler")
        config._config["rate_limit"] = {"rate": 5}
        assert says(key("rate_limit"), "note", "burst")


def test_a_flat_setting_does_not_become_the_default():
    with Restored(), override_settings(DJUST_VDOM_CACHE_MAX_ENTRIES=7):
        # As djust does at import: the flat setting is written into the class default itself.
        config._config["service_worker"]["vdom_cache_max_entries"] = 7
        entry = key("service_worker")
        assert entry["default"]["vdom_cache_max_entries"] == 50
        assert entry["value"]["vdom_cache_max_entries"] == 7
        assert "DJUST_VDOM_CACHE_MAX_ENTRIES" in entry["source"]


def test_a_key_that_djust_does_not_know_is_told_with_the_likely_name():
    with override_settings(LIVEVIEW_CONFIG={"max_mesage_size": 5, "zzz": 1, "profiler_enabled": True}):
        related = {k["key"]: k for k in described()["related"]}
        assert related["max_mesage_size"]["advice"][0]["do"] == "Did you mean max_message_size?"
        assert says(related["zzz"], "ignored", "no such key")
        assert "profiler_enabled" not in related


def test_settings_have_the_place_where_they_are_written(tmp_path, monkeypatch):
    found = described()
    entry = key("suppress_checks", found)
    text = open(entry["file"], encoding="utf-8").read().splitlines()
    assert '"suppress_checks"' in text[entry["line"] - 1]
    # Written as LIVEVIEW_CONFIG["rate_limit"] = ... further down.
    entry = key("rate_limit", found)
    assert 'LIVEVIEW_CONFIG["rate_limit"] =' in text[entry["line"] - 1]
    assert key("css_framework", found)["file"] is None
    flat = next(k for k in found["related"] if k["key"] == "LIVEVIEW_ALLOWED_MODULES")
    assert text[flat["line"] - 1].startswith("LIVEVIEW_ALLOWED_MODULES")

    base, local = tmp_path / "base.py", tmp_path / "local.py"
    base.write_text('A = 1\nLIVEVIEW_CONFIG = {\n    "hot_reload": True,\n    "rate_limit": {},\n}\n')
    local.write_text('from .base import *\n\nif A:\n    LIVEVIEW_CONFIG["hot_reload"] = False\nB: int = 2\nC = dict(x=1)\n')
    package = types.ModuleType("conf")
    package.__path__ = [str(tmp_path)]
    modules = {"conf": package}
    for name, path in (("conf.base", base), ("conf.local", local)):
        modules[name] = types.ModuleType(name)
        modules[name].__file__ = str(path)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    with override_settings(SETTINGS_MODULE="conf.local"):
        assert config_places.setting("LIVEVIEW_CONFIG", "hot_reload") == (str(local), 4)
        assert config_places.setting("LIVEVIEW_CONFIG", "rate_limit") == (str(base), 4)
        assert config_places.setting("A") == (str(base), 1)
        assert config_places.setting("B") == (str(local), 5)
        assert config_places.setting("C", "x") == (str(local), 6)
        assert config_places.setting("D") is None and config_places.setting("LIVEVIEW_CONFIG", "d") is None


def test_views_have_all_class_attributes_with_their_source():
    views = {v["class"]: v for v in described()["views"]}
    assert not any(name.startswith("djust.") for name in views)
    ticker = views["lab.views.ticker.TickerView"]
    assert set(ticker["attributes"]) == {*CLASS, "time_travel_excluded_fields"}
    assert ticker["file"].endswith("ticker.py") and ticker["line"] > 1
    interval = ticker["attributes"]["tick_interval"]
    assert interval["value"] == 700 and interval["source"] == "class lab.views.ticker.TickerView"
    assert interval["file"] == ticker["file"]
    assert "tick_interval = 700" in open(interval["file"], encoding="utf-8").read().splitlines()[interval["line"] - 1]
    static = views["lab.views.assigns.AssignsView"]["attributes"]["static_assigns"]
    assert static["value"] == ["countries"] and says(static, "note", "never the page")
    sticky = views["lab.views.counter.PlainView"]["attributes"]["sticky"]
    assert sticky["source"] == "default" and sticky["file"] is None


def test_abstract_is_honoured_and_not_inherited():
    from djust import LiveView

    class Base(LiveView):
        abstract = True
        tick_interval = 5

    class Concrete(Base):
        pass

    names = [v["class"] for v in described()["views"]]
    assert not any(n.endswith(".Base") for n in names)
    concrete = next(v for v in described()["views"] if v["class"].endswith(".Concrete"))
    abstract = concrete["attributes"]["abstract"]
    assert abstract["value"] is False and abstract["source"] == "default" and abstract["advice"] == []
    assert concrete["attributes"]["tick_interval"]["source"].endswith(".Base")
    assert says(concrete["attributes"]["tick_interval"], "ineffective", "nothing ticks")


def test_what_an_open_page_has_on_its_instance_is_told():
    async def check():
        page = await Page().mount("lab.views.ticker.TickerView", "/")

        def told():
            view = next(v for v in described()["views"] if v["class"] == "lab.views.ticker.TickerView")
            return view["attributes"]["tick_interval"]["instances"]

        assert told() == []
        sessions.SESSIONS[page.id].root.tick_interval = 90
        assert told() == [{"session": page.id, "value": 90}]
        await page.close()

    run(check())


def test_related_keys():
    related = {k["key"]: k for k in described()["related"]}
    assert {
        "time_travel_max_events",
        "bug_capture_default_scrub",
        "hot_reload_watch_dirs",
        "DJUST_WS_COMPRESSION",
        "time_travel_excluded_fields",
    } <= set(related)
    assert len(described()["keys"]) + len(related) >= 60
    assert related["hot_reload_watch_dirs"]["source"] == "LIVEVIEW_CONFIG"


RULES = [
    # What is known of the setting; a level and words that are there; None: no advice above a note.
    (dict(key="rate_limit", value={"rate": 1, "burst": 0}), ("risky", "less than one token")),
    (dict(key="rate_limit", value={"rate": 1, "burst": 5, "max_warnings": 1}), ("risky", "first message too many")),
    (dict(key="rate_limit", value=5), ("ignored", "no dictionary")),
    (dict(key="rate_limit", value={"rate": 100, "burst": 20, "max_warnings": 3}), None),
    (dict(key="event_security", value="warn"), ("risky", "no event handler")),
    (dict(key="event_security", value="strict"), None),
    (dict(key="max_message_size", value=0), ("risky", "no limit")),
    (dict(key="max_message_size", value=-1), ("risky", "all are refused")),
    (dict(key="max_message_size", value=65536), None),
    (dict(key="hot_reload", value=True, debug=False), ("ineffective", "DEBUG off")),
    (dict(key="hot_reload", value=True, hot={"available": False}), ("ineffective", "watchdog")),
    (dict(key="hot_reload", value=False, debug=False), None),
    (dict(key="hvr_enabled", value=True, merged={"hot_reload": False}), ("ineffective", "hot_reload is off")),
    (dict(key="hvr_enabled", value=True, hot={"defeated_by": "runserver"}), ("ineffective", "runserver restarts")),
    (dict(key="hvr_enabled", value=True), None),
    (dict(key="css_framework", value="bulma", default="bootstrap5"), ("ineffective", "'bulma'")),
    (dict(key="css_framework", value="tailwind", default="bootstrap5", merged={"tailwind": {}}), None),
    (dict(key="serialization_max_depth", value=0), ("risky", "depth 0")),
    (dict(key="serialization_max_depth", value=3), None),
    (dict(key="service_worker", value={}, live={"service_worker": {"state_snapshot_enabled": False}}), ("ignored", "flat")),
    (dict(key="time_travel_enabled", value=True), ("ineffective", "switches nothing on")),
    (dict(key="hot_reload_exclude_dirs", value=["x"]), ("ineffective", "does not use it")),
    (dict(key="debug_vdom", value=True, debug=False), ("risky", "log")),
    (dict(key="debug_vdom", value=True), None),
    (dict(key="DJUST_EXPOSE_TIMING", value=True, debug=False), ("risky", "Browsers")),
    (dict(key="DJUST_EXPOSE_TIMING", value=True), None),
    (dict(key="jit_cache_backend", value="redis", live={"jit_cache_backend": "redis"}), ("deprecated", "never reads")),
    (dict(key="jit_cache_backend", value="filesystem"), None),
    (dict(key="max_message_size", value=5, live={"max_message_size": 5}, djust={"max_message_size": 6}), ("ignored", "wins")),
    (dict(key="max_message_size", value=5, djust={"max_message_size": 6}), ("ignored", "does not read it there")),
    (
        dict(key="event_security", value="strict", live={"event_security": "x"}, merged={"event_security": "strict"}, told='"x"'),
        ("ignored", 'says "x"'),
    ),
    (dict(key="suppress_checks", value=["A"], live={"suppress_checks": []}, djust={"suppress_checks": ["A"]}), ("ignored", "first")),
    (dict(key="hook_namespacing", value="lax", live={"hook_namespacing": "strict"}), ("ignored", "DJUST_CONFIG only")),
]


def test_each_rule_about_settings():
    for known, expected in RULES:
        found = {"advice": config_advice.of_setting(Setting(**{"default": None, **known}))}
        if expected is None:
            assert all(level == "note" for level, _ in whys(found)), (known, found)
        else:
            assert says(found, *expected), (known, found)


ATTRIBUTES = [
    (dict(key="tick_interval", value=500, handle_tick=False), ("ineffective", "nothing ticks")),
    (dict(key="tick_interval", value=20), ("risky", "50 times a second")),
    (dict(key="tick_interval", value=1000), ("note", "HVR")),
    (dict(key="template_name", value="a.html", others={"template": "<p>"}), ("ignored", "wins")),
    (dict(key="login_required", value=None), ("note", "Not decided")),
    (dict(key="login_url", value="/in/"), ("ineffective", "asks for no login")),
    (dict(key="login_url", value="/in/", others={"login_required": True}), None),
    (dict(key="sticky", value=True), ("risky", "does not render")),
    (dict(key="sticky", value=True, others={"sticky_id": "x"}), None),
    (dict(key="sticky_id", value="x"), ("ineffective", "not sticky")),
    (dict(key="time_travel_enabled", value=True, debug=False), ("risky", "DEBUG off")),
    (dict(key="time_travel_enabled", value=False), ("note", "no history")),
    (dict(key="time_travel_enabled", value=True), None),
    (dict(key="enable_state_snapshot", value=True, snapshots=False), ("ineffective", "is off")),
    (dict(key="enable_state_snapshot", value=True), ("note", "readable")),
    (dict(key="use_actors", value=True), ("note", "actor")),
    (dict(key="api_name", value="x", exists=False), ("ineffective", "no such attribute")),
    (dict(key="on_mount", value=["x"]), None),
]


def test_each_rule_about_class_attributes():
    for known, expected in ATTRIBUTES:
        found = {"advice": config_advice.of_attribute(Attribute(**{"given": True, "others": {}, **known}))}
        if expected is None:
            assert found["advice"] == [], (known, found)
        else:
            assert says(found, *expected), (known, found)


def test_a_recommended_line_can_be_pasted():
    paste = Setting("event_security", "open", "strict", live={"event_security": "open"}).line('"strict"')
    scope = {"LIVEVIEW_CONFIG": {"event_security": "open"}}
    exec(paste, scope)  # noqa: S102
    assert scope["LIVEVIEW_CONFIG"]["event_security"] == "strict"
    scope = {}
    exec(Setting("event_security", "open", "strict").line('"strict"'), scope)  # noqa: S102
    assert scope["LIVEVIEW_CONFIG"] == {"event_security": "strict"}
