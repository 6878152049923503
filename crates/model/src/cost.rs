//! What each assign of a view costs, and what djust offers where that is much.

use serde::{Deserialize, Serialize};

use crate::StepId;

/// From so many bytes on advice is given: less is not worth anybody's time.
const LARGE: u64 = 10_000;
/// So many steps must have been seen before a rule is drawn from them.
const SEEN: u64 = 5;

/// One assign of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignCost {
    /// Its name.
    pub name: String,
    /// Bytes of its JSON.
    pub bytes: u64,
    /// Elements or keys.
    pub len: Option<u64>,
    /// Whether it is a list.
    pub is_list: bool,
    /// Steps of its view that changed it, mounts left out.
    pub changed: u64,
    /// Those of them after which the page's HTML was the same.
    pub unseen: u64,
    /// The last of them until the step that was asked about.
    pub last: Option<StepId>,
    /// Bytes of it that were new in that change. `None`: nobody looked, for it is small.
    pub differed: Option<u64>,
    /// An assign before it with the same content, of those that are large.
    pub same_as: Option<String>,
}

/// A part of the assigns of a state, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignCosts {
    /// The assigns of this part.
    pub assigns: Vec<AssignCost>,
    /// Steps of the view that have a state, mounts left out.
    pub steps: u64,
    /// Those of them after which the page's HTML was another one.
    pub rendered: u64,
    /// Where to go on; `None` at the end.
    pub next: Option<u32>,
}

impl AssignCost {
    /// What to do about it, if anything: of a view with so many steps, some of which changed the page.
    pub fn advice(&self, steps: u64, rendered: u64, temporary: &[String], fixed: &[String]) -> Option<String> {
        let Self { name, changed, unseen, .. } = self;
        let has = |names: &[String]| names.iter().any(|other| other == name);
        if has(fixed) {
            let told = format!(
                "It is in static_assigns, but changed {changed} times: the page keeps what it rendered first. Take it out of static_assigns"
            );
            return (*changed > 0).then_some(told);
        }
        if self.bytes < LARGE || has(temporary) {
            return None;
        }
        if let Some(other) = &self.same_as {
            return Some(format!("It has the same content as {other}: keep one of them, and let the template use that"));
        }
        if steps < SEEN {
            return None;
        }
        if *changed == 0 {
            return Some(format!(
                "It never changed in {steps} steps. With static_assigns = [\"{name}\"] djust hands it to the renderer once, and later changes \
                 of it would not reach the page; what the template does not show belongs in a private attribute (_{name}), which is no state"
            ));
        }
        if *changed >= SEEN && unseen == changed && rendered > 0 {
            return Some(format!(
                "It changed in {changed} steps, and the page was the same after each of them: what the template does not show belongs in a \
                 private attribute (_{name}), which is neither compared nor kept in snapshots"
            ));
        }
        let small = self.differed.is_some_and(|differed| differed.saturating_mul(10) <= self.bytes);
        (self.is_list && small && changed.saturating_mul(2) >= steps).then(|| {
            format!(
                "A change replaces little of it, but djust compares and hands over all of it: with self.stream(\"{name}\", …) or \
                 temporary_assigns = {{\"{name}\": []}} only new rows are kept until they are rendered"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost() -> AssignCost {
        AssignCost { name: "rows".into(), bytes: 50_000, len: Some(500), is_list: true, ..AssignCost::default() }
    }

    #[test]
    fn advice_is_given_where_the_recording_proves_it() {
        let advice = |cost: &AssignCost, steps| cost.advice(steps, 3, &[], &[]).unwrap_or_default();
        assert!(advice(&cost(), 20).contains("static_assigns = [\"rows\"]"));
        assert_eq!(advice(&cost(), 4), "", "too little was seen");
        assert_eq!(advice(&AssignCost { bytes: 900, ..cost() }, 20), "", "too small");
        let unseen = AssignCost { changed: 9, unseen: 9, ..cost() };
        assert!(advice(&unseen, 20).contains("private attribute (_rows)"));
        assert_eq!(unseen.advice(20, 0, &[], &[]), None, "no render was seen at all");
        let grows = AssignCost { changed: 15, unseen: 2, differed: Some(90), ..cost() };
        assert!(advice(&grows, 20).contains("self.stream(\"rows\""));
        assert_eq!(advice(&AssignCost { differed: Some(40_000), ..grows.clone() }, 20), "", "it is another list each time");
        assert!(advice(&AssignCost { same_as: Some("items".into()), ..grows.clone() }, 20).contains("same content as items"));
        assert_eq!(grows.advice(20, 3, &["rows".into()], &[]), None, "it is reset after each render already");
        assert!(grows.advice(20, 3, &[], &["rows".into()]).unwrap().contains("Take it out of static_assigns"));
    }
}
