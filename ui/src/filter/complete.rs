//! What can stand where a filter is being typed.

use inspector_model::{Status, StepKind, Timeline};

use super::facets::Facets;
use super::language::{self, Field, KEYS, Takes};
use super::{STATUSES, glob};

/// Values of one field that are offered.
const MOST: usize = 12;

/// Numbers that are offered behind a key that takes one.
const NUMBERS: [(&str, &[&str]); 6] = [
    ("ms", &[">50", ">100", ">500", ">1000"]),
    ("sql", &[">0", ">=10", ">=50"]),
    ("logs", &[">0"]),
    ("bytes", &[">10000", ">100000", ">1000000"]),
    ("frames", &[">2", ">10"]),
    ("id", &[">=1"]),
];

/// One thing that can stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What replaces the word.
    pub insert: String,
    /// What it means, in a few words.
    pub about: String,
    /// How many steps have it, where that is known.
    pub number: Option<u32>,
}

/// What can replace the word that ends at the cursor. `before` is the text up to that word.
pub fn offers(before: &str, word: &str, facets: &Facets, timeline: &Timeline) -> Vec<Offer> {
    if !before.matches('"').count().is_multiple_of(2) || word.contains('"') {
        // Inside quotes a space is no end of a word.
        return Vec::new();
    }
    let (minus, body) = word.strip_prefix('-').map_or(("", word), |body| ("-", body));
    let Some(at) = body.find([':', '<', '>', '=']) else { return keys(minus, body, facets, timeline) };
    let (key, rest) = body.split_at(at);
    let Some(known) = language::key(key) else { return Vec::new() };
    if let Takes::Number(_) = known.takes {
        return if rest == ":" || rest == ">" { numbers(minus, known.word, known.about) } else { Vec::new() };
    }
    let Some(value) = rest.strip_prefix(':') else { return Vec::new() };
    // The last of the alternatives is the one that is being typed.
    let (others, typed) = value.rfind(',').map_or(("", value), |at| value.split_at(at + 1));
    let found = values(known.takes, &typed.to_lowercase(), facets, timeline);
    if found.iter().any(|(value, ..)| value == typed) {
        return Vec::new();
    }
    let offer = |(value, about, number)| Offer { insert: format!("{minus}{key}:{others}{} ", quoted(value)), about, number };
    found.into_iter().map(offer).collect()
}

/// Keys that begin like the word, then values that contain it. The word itself comes first: Enter leaves it as it is.
fn keys(minus: &str, body: &str, facets: &Facets, timeline: &Timeline) -> Vec<Offer> {
    let typed = body.to_lowercase();
    let mut offers: Vec<Offer> = KEYS
        .iter()
        .filter(|key| key.word.starts_with(&typed))
        .map(|key| {
            let sign = if matches!(key.takes, Takes::Number(_)) { '>' } else { ':' };
            Offer { insert: format!("{minus}{}{sign}", key.word), about: key.about.to_owned(), number: None }
        })
        .collect();
    if typed.is_empty() {
        return offers;
    }
    for (key, takes) in [
        ("kind", Takes::Kind),
        ("status", Takes::Status),
        ("name", Takes::Text(Field::Name)),
        ("changed", Takes::Text(Field::Changed)),
        ("user", Takes::Text(Field::User)),
        ("view", Takes::Text(Field::View)),
    ] {
        let found = values(takes, &typed, facets, timeline).into_iter().take(4);
        offers.extend(found.map(|(value, about, number)| Offer { insert: format!("{minus}{key}:{} ", quoted(value)), about, number }));
    }
    if offers.is_empty() {
        return offers;
    }
    let itself = Offer { insert: format!("{minus}{body} "), about: "In names, errors, changed paths and views".to_owned(), number: None };
    // A key that was begun is what is most likely meant.
    let place = usize::from(KEYS.iter().any(|key| key.word.starts_with(&typed)));
    offers.insert(place, itself);
    offers.truncate(MOST);
    offers
}

fn numbers(minus: &str, key: &str, about: &str) -> Vec<Offer> {
    let known = NUMBERS.iter().find(|(word, _)| *word == key).map_or(&[][..], |(_, numbers)| *numbers);
    known.iter().map(|rest| Offer { insert: format!("{minus}{key}{rest} "), about: about.to_owned(), number: None }).collect()
}

/// The values behind a key that contain a lower-case text: the value, what it means, how many steps have it.
fn values(takes: Takes, typed: &str, facets: &Facets, timeline: &Timeline) -> Vec<(String, String, Option<u32>)> {
    let has = |word: &str| if typed.contains('*') { glob(typed, word) } else { word.contains(typed) };
    match takes {
        Takes::Kind => {
            let number = |kind: StepKind| timeline.of_kind(kind).len() as u32;
            let mut kinds: Vec<StepKind> = StepKind::ALL.into_iter().filter(|kind| has(kind.word())).collect();
            kinds.sort_by_key(|kind| std::cmp::Reverse(number(*kind)));
            kinds.into_iter().map(|kind| (kind.word().to_owned(), kind.label().to_owned(), Some(number(kind)))).collect()
        }
        Takes::Status => {
            let error = has("error").then(|| ("error".to_owned(), "All but ok".to_owned(), Some(facets.errors())));
            let each = STATUSES.into_iter().filter(|status| has(status.word()));
            let each = each.map(|status| (status.word().to_owned(), of_status(status).to_owned(), Some(facets.status(status))));
            error.into_iter().chain(each).collect()
        }
        Takes::Text(field) => {
            let about = match field {
                Field::Name => "Name",
                Field::Changed => "Changed path",
                Field::User => "User",
                Field::Session => "Page",
                Field::View => "View",
                Field::Component => "Component",
                Field::Any => "",
            };
            let found = facets.values(timeline, field, typed, MOST);
            found.into_iter().map(|(value, number)| (value, about.to_owned(), Some(number))).collect()
        }
        Takes::Number(_) | Takes::Time => Vec::new(),
    }
}

const fn of_status(status: Status) -> &'static str {
    match status {
        Status::Ok => "As it should",
        Status::Raised => "The handler raised",
        Status::Refused => "No such handler, or not allowed",
        Status::Invalid => "The parameters did not fit",
        Status::Limited => "A rate limit dropped it",
        Status::Failed => "It failed outside the handler",
    }
}

/// As it is written in a filter: what the language means otherwise stands for anything.
fn quoted(value: String) -> String {
    let value = if value.contains(['"', ',']) { value.replace(['"', ','], "*") } else { value };
    if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value }
}

#[cfg(test)]
mod tests {
    use inspector_model::{Notice, Source, SourceId, Step, StepId};

    use super::*;
    use crate::filter::Filter;

    fn offered(text: &str) -> Vec<String> {
        let mut timeline = Timeline::new(Source::recording(SourceId(1), ""));
        let names = ["add_item", "add_item", "pay", "db_notify orders", "sort \"a,b\""];
        let step = |(id, name): (u64, &str)| Step {
            id: StepId(id),
            changed: vec!["cart.total".into()],
            ..Step::new(if name == "pay" { StepKind::Event } else { StepKind::Push }, name, 1.0)
        };
        timeline.apply(&Notice::steps(SourceId(1), (1..).zip(names).map(step)));
        let mut facets = Facets::default();
        facets.refresh(&timeline);
        let start = text.rfind(' ').map_or(0, |at| at + 1);
        let offers = offers(&text[..start], &text[start..], &facets, &timeline);
        offers.into_iter().map(|offer| offer.insert).collect()
    }

    #[test]
    fn keys_and_values_that_occur_are_offered() {
        assert_eq!(offered("").len(), KEYS.len());
        assert_eq!(offered("kin"), ["kind:", "kin "]);
        assert_eq!(offered("kind:")[..2], ["kind:push ", "kind:event "], "the most frequent first");
        assert_eq!(offered("-kind:push,ev"), ["-kind:push,event "]);
        assert_eq!(offered("name:a"), ["name:add_item ", "name:pay ", "name:\"sort *a*b*\" "]);
        assert_eq!(offered("ms>")[0], "ms>50 ");
        assert_eq!(offered("ms:")[0], "ms>50 ");
        assert_eq!(offered("add"), ["add ", "name:add_item "], "Enter leaves a word as it was typed");
        assert_eq!(offered("status:err"), ["status:error "]);
    }

    #[test]
    fn nothing_is_offered_where_nothing_is_missing() {
        for text in ["kind:push", "name:pay", "ms>50", "zzz", "nokey:a", "name:\"db_notify o", "kind:event \"no st"] {
            assert_eq!(offered(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn all_that_is_offered_is_understood() {
        for text in ["name:", "kind:", "status:", "changed:", "ms>", "sql:", "bytes>", "frames>", "logs>", "id:", "a", "o"] {
            for insert in offered(text) {
                let whole = insert.ends_with(' ');
                assert!(!whole || Filter::parse(&insert).is_ok(), "{insert}: {:?}", Filter::parse(&insert));
            }
        }
    }

    #[test]
    fn every_example_of_the_help_is_understood() {
        for key in &KEYS {
            assert!(Filter::parse(key.example).is_ok(), "{}", key.example);
        }
        for rule in &language::RULES {
            assert!(Filter::parse(rule.written).is_ok(), "{}", rule.written);
        }
    }
}
