"""The config frame: exactly the documented keys, with value, default, source and traps."""

import json

from django.test import override_settings
from djust.config import config
from djust_inspector import configuration

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


def test_exactly_the_33_documented_keys():
    keys = [k["key"] for k in described()["keys"]]
    assert len(keys) == 33 and set(keys) == set(CLASS) | set(SETTINGS)
    for entry in described()["keys"]:
        assert set(entry) == {"key", "group", "type", "default", "value", "source", "traps", "doc"}
        assert entry["group"] == ("class" if entry["key"] in CLASS else "setting") and entry["doc"]


def test_sources_and_traps_of_settings():
    found = described()
    assert key("rate_limit", found)["source"] == "LIVEVIEW_CONFIG"
    assert key("suppress_checks", found)["source"] == "DJUST_CONFIG"
    assert key("css_framework", found)["source"] == "default"
    assert any("never read" in trap for trap in key("jit_cache_backend", found)["traps"])
    with override_settings(LIVEVIEW_CONFIG={"hook_namespacing": "strict"}):
        entry = key("hook_namespacing")
        assert entry["value"] == "lax" and "LIVEVIEW_CONFIG is ignored" in entry["traps"][0]
    before = dict(config._config)
    try:
        config.set("event_security", "open")
        entry = key("event_security")
        assert entry["value"] == "open" and entry["source"] == "set at run time" and entry["traps"]
        config._config["rate_limit"] = {"rate": 5}
        assert any("burst" in trap for trap in key("rate_limit")["traps"])
    finally:
        config._config.clear()
        config._config.update(before)


def test_views_have_all_class_attributes_with_their_source():
    views = {v["class"]: v for v in described()["views"]}
    assert not any(name.startswith("djust.") for name in views)
    ticker = views["lab.views.ticker.TickerView"]
    assert set(ticker["attributes"]) == set(CLASS) and ticker["file"].endswith("ticker.py") and ticker["line"] > 1
    interval = ticker["attributes"]["tick_interval"]
    assert interval["value"] == 700 and interval["source"] == "class lab.views.ticker.TickerView"
    static = views["lab.views.assigns.AssignsView"]["attributes"]["static_assigns"]
    assert static["value"] == ["countries"] and static["traps"]
    assert views["lab.views.counter.PlainView"]["attributes"]["sticky"]["source"] == "default"


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
    assert concrete["attributes"]["abstract"] == {"value": False, "source": "default", "traps": []}
    assert concrete["attributes"]["tick_interval"]["source"].endswith(".Base")
    assert "nothing ticks" in concrete["attributes"]["tick_interval"]["traps"][0]


def test_related_keys():
    related = {k["key"] for k in described()["related"]}
    assert {
        "time_travel_max_events",
        "bug_capture_default_scrub",
        "hot_reload_watch_dirs",
        "DJUST_WS_COMPRESSION",
    } <= related
