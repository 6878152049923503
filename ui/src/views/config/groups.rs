//! Which keys belong together, for somebody who looks for one.

use inspector_model::{ConfigKey, Configuration};

/// Title, and the keys and beginnings of keys (with a `*`) that are in it.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "Messages, limits and security",
        &[
            "rate_limit",
            "max_message_size",
            "event_security",
            "reauth_*",
            "use_websocket",
            "websocket_compression",
            "DJUST_WS_COMPRESSION",
            "LIVEVIEW_ALLOWED_MODULES",
            "DJUST_TRUSTED_PROXY_COUNT",
        ],
    ),
    ("Hot reload and HVR", &["hot_reload*", "hvr_enabled"]),
    ("Time travel and captures", &["time_travel_*", "bug_capture_*", "DJUST_BUG_CAPTURE_*"]),
    (
        "Rendering and serialisation",
        &[
            "css_framework",
            "serialization_max_depth",
            "strict_serialization",
            "jit_*",
            "loop_render_cache_enabled",
            "virtual_keyed_ops",
            "django_value_repr",
            "template_auto_call",
            "sensitive_field_types",
            "component_*",
        ],
    ),
    (
        "In the browser",
        &["service_worker", "hook_namespacing", "auto_navigate", "DJUST_VDOM_CACHE_*", "DJUST_STATE_SNAPSHOT_*", "DJUST_EXPOSE_TIMING"],
    ),
    ("Checks and djust's own tools", &["suppress_checks", "update_check", "debug_*"]),
];

/// As the base class has them.
const CLASS: &str = "Class attributes of LiveView";
const OTHER: &str = "Other settings";

/// The title under which a key stands.
fn title(key: &ConfigKey) -> &'static str {
    if key.group == "class" {
        return CLASS;
    }
    let fits = |pattern: &str| pattern.strip_suffix('*').map_or(key.key == pattern, |start| key.key.starts_with(start));
    GROUPS.iter().find(|(_, patterns)| patterns.iter().any(|pattern| fits(pattern))).map_or(OTHER, |(title, _)| title)
}

/// The keys of each group that has any; `true`: the key is a documented one, and those come first.
pub fn grouped(config: &Configuration) -> Vec<(&'static str, Vec<(&ConfigKey, bool)>)> {
    let all = || config.keys.iter().map(|key| (key, true)).chain(config.related.iter().map(|key| (key, false)));
    let titles = GROUPS.iter().map(|(title, _)| *title).chain([OTHER, CLASS]);
    let groups = titles.map(|wanted| (wanted, all().filter(|(key, _)| title(key) == wanted).collect::<Vec<_>>()));
    groups.filter(|(_, keys)| !keys.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_one_group_and_documented_ones_come_first() {
        let key = |name: &str, group: &str| ConfigKey { key: name.into(), group: group.into(), ..ConfigKey::default() };
        let config = Configuration {
            keys: vec![key("rate_limit", "setting"), key("time_travel_enabled", "class"), key("hot_reload", "setting")],
            related: vec![key("reauth_on_event", "setting"), key("time_travel_enabled", "setting"), key("unheard_of", "setting")],
            views: Vec::new(),
        };
        let told: Vec<(&str, Vec<&str>)> = grouped(&config)
            .into_iter()
            .map(|(title, keys)| (title, keys.into_iter().map(|(key, _)| key.key.as_str()).collect()))
            .collect();
        let expected = [
            ("Messages, limits and security", vec!["rate_limit", "reauth_on_event"]),
            ("Hot reload and HVR", vec!["hot_reload"]),
            ("Time travel and captures", vec!["time_travel_enabled"]),
            (OTHER, vec!["unheard_of"]),
            (CLASS, vec!["time_travel_enabled"]),
        ];
        assert_eq!(told, expected);
    }
}
