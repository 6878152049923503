//! Who may have changed a state that no step changed, and how far that can be relied on.

use serde::{Deserialize, Serialize};

use crate::limited::cut;
use crate::{SessionId, StepId};

/// What was seen around a change that happened outside of steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Suspect {
    /// What did it.
    pub by: By,
    /// How sure that is.
    pub sure: Sure,
    /// The assigns that it explains.
    #[serde(deserialize_with = "crate::limited::deserialize_list")]
    pub names: Vec<String>,
    /// What it is called: a thread, a message, an object of a module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// The line that set the assign: `shop/views.py:12 in refresh`.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The step that is the cause, or began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The other page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// When the assign was set, Unix seconds. The change itself was found later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
}

/// What changed a state outside of steps. Newer agents may know more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The render after a handler: `get_context_data`, a property of a template.
    Render,
    /// A step of another view of the same page.
    View,
    /// A step of another page.
    Page,
    /// Work of `start_async` or `@background` before it ended.
    Work,
    /// A task or thread that djust does not know.
    Task,
    /// Another view holds the same object and changed it in place.
    Shared,
    /// A queryset loaded its rows.
    Queryset,
    /// A module or class holds the same object.
    Global,
    /// A message of the browser that is no step, or did not reach its handler.
    Message,
    /// The step that found it, before its handler ran.
    Early,
    /// Frames were lost: the step that did it may be among them.
    Lost,
    /// A step of another page gave the same assign the same value.
    SameValue,
    /// A step of another view of the same page came between.
    Nearby,
    /// Something that this version does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// How far a suspicion can be relied on, the most certain first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// It was seen to do it.
    Certain,
    /// It can have done it, and nothing else is known that can.
    Likely,
    /// It was there at the time.
    #[default]
    #[serde(other)]
    Guess,
}

impl Sure {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

impl Suspect {
    /// What to say where nothing was seen, and what to do then.
    pub const NONE: &'static str = "No cause seen: no step, render, task or thread assigned it while the inspector watched. Look for \
         code that changes the value in place (append, update) outside of a handler, or for a model instance that was loaded anew";

    /// Cuts its texts to so many bytes, and its list to so many elements.
    pub fn cut(&mut self, longest: usize, most: usize) {
        self.names.truncate(most);
        for text in self.names.iter_mut().chain(&mut self.what).chain(&mut self.place) {
            cut(text, longest);
        }
    }

    /// Who did it, in a few words, for a row of a table.
    pub fn short(&self) -> String {
        let what = self.what.as_deref();
        let who = match self.by {
            By::Render => self.function().map_or_else(|| "the render".to_owned(), |function| format!("the render, {function}")),
            By::View | By::Nearby => "another view of this page".to_owned(),
            By::Page | By::SameValue => "another page".to_owned(),
            By::Work => format!("background work {}", what.unwrap_or("of this page")),
            By::Task => what.unwrap_or("a task or thread").to_owned(),
            By::Shared => "another page with the same object".to_owned(),
            By::Queryset => "the rows were loaded".to_owned(),
            By::Global => format!("whoever changed {}", what.unwrap_or("a shared object")),
            By::Message => format!("message {}", what.unwrap_or("without a step")),
            By::Early => "the next step, before its handler".to_owned(),
            By::Lost => "a step that was lost".to_owned(),
            By::Unknown => "something that this inspector does not know".to_owned(),
        };
        match self.sure {
            Sure::Certain => format!("by {who}"),
            Sure::Likely => format!("likely by {who}"),
            Sure::Guess => format!("perhaps by {who}"),
        }
    }

    /// What was seen, in one sentence. The steps are named by their numbers.
    pub fn words(&self) -> String {
        let what = self.what.as_deref();
        let step = self.step.map(|step| format!("step {step}"));
        let step = step.as_deref();
        let text = match self.by {
            By::Render => format!("It was set while the page was rendered, after the handler of {}", step.unwrap_or("the last step")),
            By::View => format!("{} of another view of this page set it", step.unwrap_or("a step")),
            By::Page => format!("{} of another page set it", step.unwrap_or("a step")),
            By::Work if self.sure == Sure::Certain => {
                format!("Background work {} set it before it ended", what.unwrap_or("of this page"))
            }
            By::Work => format!("Background work {} was under way, and nothing else was seen", what.unwrap_or("of this page")),
            By::Task => {
                let begun = step.map(|step| format!(", which {step} began")).unwrap_or_default();
                format!("It was set outside of any step, in {}{begun}", what.unwrap_or("a task or thread"))
            }
            By::Shared => match step {
                Some(step) => format!("Another view holds the same object as {}, and {step} changed it there", quoted(what)),
                None => format!("Another view holds the same object as {}, so whoever changes it there changes it here", quoted(what)),
            },
            By::Queryset => format!("The queryset loaded its rows, most likely in the render of {}", step.unwrap_or("the last step")),
            By::Global => format!("It is the same object as {}, which anything in the server can change", quoted(what)),
            By::Message if self.sure == Sure::Certain => format!("The browser's message {} set it", quoted(what)),
            By::Message => format!("The browser's message {} came between, and nothing else was seen", quoted(what)),
            By::Early => "The next step set it itself, before its handler ran".to_owned(),
            By::Lost => "Frames were lost, so the step that did it may not have been recorded".to_owned(),
            By::SameValue => format!("{} of another page gave the same assign the same value", step.unwrap_or("a step")),
            By::Nearby => format!("{} of another view of this page came between, and nothing else was seen", step.unwrap_or("a step")),
            By::Unknown => "The agent names a cause that this inspector does not know; a newer one can".to_owned(),
        };
        let text = capital(text);
        self.place.as_ref().map_or_else(|| text.clone(), |place| format!("{text}: {place}"))
    }

    /// `get_context_data` of `views.py:31 in get_context_data`.
    fn function(&self) -> Option<&str> {
        self.place.as_ref()?.rsplit_once(" in ").map(|(_, function)| function)
    }
}

fn quoted(what: Option<&str>) -> String {
    what.map_or_else(|| "it".to_owned(), |what| format!("`{what}`"))
}

fn capital(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Suspect {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn each_cause_says_who_how_sure_and_where() {
        let cases = [
            (
                r#"{"by":"render","sure":"certain","names":["total"],"where":"shop/views.py:31 in get_context_data","step":7}"#,
                "by the render, get_context_data",
                "It was set while the page was rendered, after the handler of step 7: shop/views.py:31 in get_context_data",
            ),
            (
                r#"{"by":"task","sure":"certain","what":"thread poller","where":"jobs.py:4 in poll"}"#,
                "by thread poller",
                "It was set outside of any step, in thread poller: jobs.py:4 in poll",
            ),
            (
                r#"{"by":"task","sure":"certain","what":"task poll","step":3}"#,
                "by task poll",
                "It was set outside of any step, in task poll, which step 3 began",
            ),
            (
                r#"{"by":"work","sure":"likely","what":"report"}"#,
                "likely by background work report",
                "Background work report was under way, and nothing else was seen",
            ),
            (
                r#"{"by":"shared","sure":"certain","what":"board","step":9,"session":"s"}"#,
                "by another page with the same object",
                "Another view holds the same object as `board`, and step 9 changed it there",
            ),
            (r#"{"by":"view","sure":"certain","step":4}"#, "by another view of this page", "Step 4 of another view of this page set it"),
            (
                r#"{"by":"message","sure":"guess","what":"presence_heartbeat"}"#,
                "perhaps by message presence_heartbeat",
                "The browser's message `presence_heartbeat` came between, and nothing else was seen",
            ),
        ];
        for (text, short, words) in cases {
            let suspect = read(text);
            assert_eq!((suspect.short().as_str(), suspect.words().as_str()), (short, words));
            assert_eq!(read(&serde_json::to_string(&suspect).unwrap()), suspect);
        }
    }

    #[test]
    fn a_cause_of_a_newer_agent_is_told_as_unknown() {
        let suspect = read(r#"{"by":"moonlight","sure":"certain","names":["a"],"more":1}"#);
        assert_eq!(suspect.by, By::Unknown);
        assert!(suspect.words().contains("newer"));
    }
}
