//! What the assigns of a state cost, as far as it was told: it comes in parts.

use inspector_model::{AssignCost, AssignCosts, Failure, Request, RequestId};

use super::engine::{Engine, not_taken};
use super::model::SideKey;

/// The costs of one state.
#[derive(Default)]
pub struct Costs {
    wanted: Option<SideKey>,
    asked: Option<(RequestId, SideKey)>,
    next: Option<u32>,
    /// Which state is shown. An older one stays until the wanted one begins.
    of: Option<SideKey>,
    told: AssignCosts,
    failure: Option<Failure>,
}

impl Costs {
    /// Says which state is looked at.
    pub fn want(&mut self, key: Option<SideKey>) {
        self.wanted = key;
    }

    /// Asks for what is not there yet: one part is on its way at most.
    pub fn pull(&mut self, engine: &mut Engine) {
        let Some(key) = self.wanted.filter(|_| self.asked.is_none()) else { return };
        let from = match self.next {
            _ if self.of != Some(key) => 0,
            Some(next) => next,
            None => return,
        };
        let (source, step, side) = key;
        self.asked = engine.send(Request::Costs { source, step, side, from }).map(|id| (id, key));
        if self.asked.is_none() {
            (self.of, self.next, self.failure) = (Some(key), None, Some(not_taken()));
        }
    }

    /// Whether `id` is the part that is on its way.
    pub fn awaits(&self, id: RequestId) -> bool {
        self.asked.is_some_and(|(asked, _)| asked == id)
    }

    /// Takes a part in.
    pub fn answered(&mut self, part: Result<AssignCosts, Failure>) {
        let Some((_, key)) = self.asked.take() else { return };
        if self.of != Some(key) {
            self.of = Some(key);
            self.told = AssignCosts::default();
        }
        self.failure = None;
        match part {
            Ok(AssignCosts { assigns, steps, rendered, next }) => {
                self.told.assigns.extend(assigns);
                (self.told.steps, self.told.rendered) = (steps, rendered);
                self.next = next;
            }
            Err(failure) => (self.next, self.failure) = (None, Some(failure)),
        }
    }

    /// What is told so far, whether that is of the wanted state and all of it, or why there is nothing.
    pub fn shown(&self) -> Option<Result<(&AssignCosts, bool), &Failure>> {
        self.of?;
        match &self.failure {
            Some(failure) => Some(Err(failure)),
            None => Some(Ok((&self.told, self.of == self.wanted && self.next.is_none()))),
        }
    }

    /// All of them together, bytes.
    pub fn bytes(&self) -> u64 {
        self.told.assigns.iter().map(|cost| cost.bytes).sum()
    }

    /// The assigns, the largest or those that change most often first.
    pub fn sorted(&self, by_changes: bool) -> Vec<&AssignCost> {
        let mut assigns: Vec<&AssignCost> = self.told.assigns.iter().collect();
        let rank = |cost: &AssignCost| if by_changes { (cost.changed, cost.bytes) } else { (cost.bytes, cost.changed) };
        assigns.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name)));
        assigns
    }
}
