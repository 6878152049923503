//! The branches of one view of one page. Pure: steps are numbers from 0 in the order in which they happened.
//!
//! A page is one line until it is put back. A jump to the end of step `n` begins a branch that forks after `n`, one to its beginning a
//! branch that forks before it, and so does a replay of `n`. A jump to where a branch ends goes on with that branch: that is how a page
//! returns to live. Of several jumps with nothing between them only the last one counts.

use std::collections::HashMap;
use std::ops::Range;

/// What puts a page back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To the end of a step; `None` for one that is not known here.
    JumpAfter(Option<usize>),
    /// To the beginning of a step.
    JumpBefore(Option<usize>),
    /// To the beginning of a step, whose event is then sent again.
    Replay {
        /// The step.
        of: Option<usize>,
        /// Whether with other parameters.
        edited: bool,
    },
}

/// A state of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// That before the first step.
    Start,
    /// That after a step.
    After(usize),
    /// One that is not known here.
    Unknown,
}

/// How a branch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The branch that it left.
    pub parent: usize,
    /// The state that both have.
    pub spot: Spot,
    /// The replay that began it, if one did.
    pub replay: Option<Replay>,
}

/// An event that was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The step that it became.
    pub step: usize,
    /// The recorded one.
    pub of: Option<usize>,
    /// Whether with other parameters.
    pub edited: bool,
}

/// Steps that follow from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Where it forked; `None` for the first one.
    pub fork: Option<Fork>,
    /// Its first step.
    pub first: usize,
    /// Its last step that has a state, of those in runs that are over.
    tip: Option<usize>,
}

/// Steps of one branch that happened one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    begin: usize,
    branch: usize,
}

/// The branches, as far as turns were taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    branches: Vec<Branch>,
    runs: Vec<Run>,
    /// The state after each jump, and before each replay.
    spots: HashMap<usize, (bool, Spot)>,
    /// The last turn, if it was a jump.
    jumped: Option<Jumped>,
}

/// Where the page stands since a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Jumped {
    at: usize,
    spot: Spot,
    /// The first of the jumps with nothing between them, of which this is the last one.
    begin: usize,
    /// Whether they began a run. A jump to where its own branch ends does not.
    began: bool,
}

impl Default for Tree {
    fn default() -> Self {
        let first = Branch { fork: None, first: 0, tip: None };
        Self { branches: vec![first], runs: vec![Run { begin: 0, branch: 0 }], spots: HashMap::new(), jumped: None }
    }
}

impl Tree {
    /// Takes in what step `at` did. Turns come in the order of their steps. `has_state` says which steps before it have a state.
    pub fn turn(&mut self, at: usize, turn: Turn, has_state: impl Fn(usize) -> bool) {
        if at == 0 {
            // What was before is not recorded: this is where the page's first branch begins.
            return;
        }
        // The page stands where the last jump put it, if nothing happened since.
        let last = self.jumped.filter(|jump| self.runs.len() > 1 && !(jump.at + 1..at).any(&has_state));
        let stands = last.map(|jump| jump.spot);
        if stands.is_none() {
            let run = self.runs[self.runs.len() - 1];
            let tip = (run.begin..at).rev().find(|step| has_state(*step));
            let branch = &mut self.branches[run.branch];
            branch.tip = tip.or(branch.tip);
        }
        // What is told of a later step is not true, whoever tells it.
        let past = |step: Option<usize>| step.filter(|step| *step < at);
        let (wanted, replay) = match turn {
            Turn::JumpAfter(step) => (past(step).map_or(Spot::Unknown, Spot::After), None),
            Turn::JumpBefore(step) => (self.before(past(step)), None),
            Turn::Replay { of, edited } => (self.before(past(of)), Some(Replay { step: at, of: past(of), edited })),
        };
        let spot = self.same_state(wanted, stands);
        let (mut begin, mut began) = last.map_or((at, false), |jump| (jump.begin, jump.began));
        if stands == Some(spot) || (replay.is_some() && spot == Spot::Unknown) {
            let run = self.runs[self.runs.len() - 1];
            let branch = &mut self.branches[run.branch];
            // The jump that led to the replay is over: both are one fork.
            if let (Some(fork), true) = (&mut branch.fork, began && branch.first == run.begin) {
                fork.replay = fork.replay.or(replay);
            }
        } else {
            if began {
                begin = self.undo();
            }
            began = self.go_on(begin, spot, replay);
        }
        self.spots.insert(at, (replay.is_none(), spot));
        self.jumped = replay.is_none().then_some(Jumped { at, spot, begin, began });
    }

    /// The state before a step.
    fn before(&self, step: Option<usize>) -> Spot {
        match step {
            None => Spot::Unknown,
            Some(step) => match self.spots.get(&step) {
                Some((false, spot)) => *spot,
                _ => step.checked_sub(1).map_or(Spot::Start, Spot::After),
            },
        }
    }

    /// One name for equal states: a jump leaves the state that it went to.
    fn same_state(&self, spot: Spot, stands: Option<Spot>) -> Spot {
        let Spot::After(step) = spot else { return spot };
        if self.is_tip(step) {
            return spot;
        }
        match (self.spots.get(&step), stands) {
            (Some((true, spot)), _) => *spot,
            // Nothing has changed since the jump.
            (_, Some(stands)) if step >= self.runs[self.runs.len() - 1].begin => stands,
            _ => spot,
        }
    }

    fn is_tip(&self, step: usize) -> bool {
        self.branches[self.branch_of(step)].tip == Some(step)
    }

    /// Takes back the last jump, as nothing came of it. Returns with which step it began.
    fn undo(&mut self) -> usize {
        let Some(run) = self.runs.pop() else { return 0 };
        if self.branches[run.branch].first == run.begin {
            self.branches.pop();
        }
        run.begin
    }

    /// Goes on from a state. Whether that is a run of its own.
    fn go_on(&mut self, begin: usize, spot: Spot, replay: Option<Replay>) -> bool {
        let current = self.runs.last().map_or(0, |run| run.branch);
        let branch = match spot {
            Spot::After(step) if self.is_tip(step) => self.branch_of(step),
            _ => {
                let parent = match spot {
                    Spot::After(step) => self.branch_of(step),
                    Spot::Start => 0,
                    Spot::Unknown => current,
                };
                self.branches.push(Branch { fork: Some(Fork { parent, spot, replay }), first: begin, tip: None });
                self.branches.len() - 1
            }
        };
        let begins = branch != current || self.runs.is_empty();
        if begins {
            self.runs.push(Run { begin, branch });
        }
        begins
    }

    /// All branches, in the order in which they began.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// How often the page was put back: grows with each change of the tree.
    pub fn turns(&self) -> usize {
        self.spots.len()
    }

    /// Whether the page never forked.
    pub const fn is_linear(&self) -> bool {
        self.branches.len() == 1
    }

    /// The branch of a step.
    pub fn branch_of(&self, step: usize) -> usize {
        let run = self.runs.partition_point(|run| run.begin <= step);
        self.runs[run.saturating_sub(1)].branch
    }

    /// The branch on which the page is now.
    pub fn current(&self) -> usize {
        self.runs.last().map_or(0, |run| run.branch)
    }

    /// The steps of each branch, as ranges, of so many steps in all.
    pub fn runs(&self, steps: usize) -> Vec<Vec<Range<usize>>> {
        let mut all = vec![Vec::new(); self.branches.len()];
        for (nth, run) in self.runs.iter().enumerate() {
            let end = self.runs.get(nth + 1).map_or(steps, |next| next.begin);
            if run.begin < end {
                all[run.branch].push(run.begin..end);
            }
        }
        all
    }

    /// All branches below those that they left, in the order of their forks, with how deep they are.
    pub fn rows(&self) -> Vec<(usize, usize)> {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.branches.len()];
        for (nth, branch) in self.branches.iter().enumerate() {
            if let Some(fork) = branch.fork {
                children[fork.parent].push(nth);
            }
        }
        let place = |branch: &usize| match self.branches[*branch].fork.map(|fork| fork.spot) {
            Some(Spot::After(step)) => step + 1,
            Some(Spot::Unknown) => usize::MAX,
            Some(Spot::Start) | None => 0,
        };
        let mut rows = Vec::with_capacity(self.branches.len());
        let mut open = vec![(0, 0)];
        while let Some((branch, depth)) = open.pop() {
            rows.push((branch, depth));
            let mut below = std::mem::take(&mut children[branch]);
            below.sort_by_key(|branch| (place(branch), *branch));
            open.extend(below.into_iter().rev().map(|branch| (branch, depth + 1)));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tree of turns at steps; all steps have a state.
    fn tree(turns: &[(usize, Turn)]) -> Tree {
        let mut tree = Tree::default();
        for (at, turn) in turns {
            tree.turn(*at, *turn, |_| true);
        }
        tree
    }

    /// The runs of each branch, as text.
    fn runs(tree: &Tree, steps: usize) -> Vec<String> {
        let text = |runs: &Vec<Range<usize>>| runs.iter().map(|run| format!("{run:?}")).collect::<Vec<_>>().join(" ");
        tree.runs(steps).iter().map(text).collect()
    }

    const fn after(step: usize) -> Turn {
        Turn::JumpAfter(Some(step))
    }

    const fn before(step: usize) -> Turn {
        Turn::JumpBefore(Some(step))
    }

    const fn again(step: usize) -> Turn {
        Turn::Replay { of: Some(step), edited: false }
    }

    #[test]
    fn without_jumps_there_is_one_line() {
        let tree = Tree::default();
        assert!(tree.is_linear());
        assert_eq!(runs(&tree, 5), ["0..5"]);
        assert_eq!(tree.rows(), [(0, 0)]);
    }

    #[test]
    fn a_jump_back_forks_after_its_target() {
        let tree = tree(&[(5, after(2))]);
        assert_eq!(runs(&tree, 8), ["0..5", "5..8"]);
        assert_eq!(tree.branches()[1].fork, Some(Fork { parent: 0, spot: Spot::After(2), replay: None }));
        assert_eq!((tree.branch_of(4), tree.branch_of(7), tree.current()), (0, 1, 1));
    }

    #[test]
    fn a_return_to_the_end_of_a_branch_goes_on_with_it() {
        let tree = tree(&[(5, after(2)), (8, after(4))]);
        assert_eq!(runs(&tree, 10), ["0..5 8..10", "5..8"]);
        assert_eq!(tree.current(), 0);
    }

    #[test]
    fn a_look_at_the_past_that_does_nothing_there_is_no_branch() {
        let tree = tree(&[(5, after(2)), (6, after(1)), (7, after(4))]);
        assert!(tree.is_linear());
        assert_eq!(runs(&tree, 9), ["0..9"]);
    }

    #[test]
    fn only_the_last_of_several_jumps_counts() {
        let tree = tree(&[(5, after(2)), (6, before(1))]);
        assert_eq!(tree.branches().len(), 2);
        assert_eq!(tree.branches()[1].fork.unwrap().spot, Spot::After(0));
        assert_eq!(tree.branches()[1].first, 5);
    }

    #[test]
    fn a_jump_to_the_end_of_its_own_branch_takes_nothing_back() {
        let mut tree = Tree::default();
        for (at, turn) in [(2, Turn::JumpAfter(None)), (4, Turn::JumpAfter(None)), (5, after(3)), (6, Turn::JumpAfter(None))] {
            tree.turn(at, turn, |step| step == 3);
        }
        assert_eq!(runs(&tree, 10), ["0..2", "2..4", "4..10"]);
        assert_eq!(tree.branches()[1].fork.unwrap().spot, Spot::Unknown);
    }

    #[test]
    fn a_replay_and_the_jump_that_led_to_it_are_one_fork() {
        let tree = tree(&[(5, before(3)), (6, again(3)), (7, before(3)), (8, again(3))]);
        assert_eq!(runs(&tree, 9), ["0..5", "5..7", "7..9"]);
        let forks: Vec<Fork> = tree.branches()[1..].iter().map(|branch| branch.fork.unwrap()).collect();
        assert_eq!(forks[0], Fork { parent: 0, spot: Spot::After(2), replay: Some(Replay { step: 6, of: Some(3), edited: false }) });
        assert_eq!(forks[1].replay.unwrap().step, 8);
        assert_eq!(tree.rows(), [(0, 0), (1, 1), (2, 1)]);
    }

    #[test]
    fn a_replay_without_a_jump_forks_before_its_step() {
        let tree = tree(&[(5, again(3)), (7, again(5))]);
        assert_eq!(tree.branches()[1].fork.unwrap().spot, Spot::After(2));
        assert_eq!(tree.branches()[2].fork.unwrap().spot, Spot::After(2), "before a replay is where that one forked");
    }

    #[test]
    fn branches_fork_from_branches() {
        let tree = tree(&[(4, after(1)), (8, after(5)), (11, before(0))]);
        assert_eq!(tree.rows(), [(0, 0), (3, 1), (1, 1), (2, 2)]);
        assert_eq!(tree.branches()[3].fork.unwrap().spot, Spot::Start);
    }

    #[test]
    fn a_step_without_a_state_is_no_end() {
        let mut tree = Tree::default();
        tree.turn(5, after(2), |_| true);
        // Step 8 was dropped by a rate limit: the page still stands as after step 7.
        tree.turn(9, after(4), |step| step != 8);
        tree.turn(11, after(7), |step| step != 8);
        assert_eq!(runs(&tree, 13), ["0..5 9..11", "5..9 11..13"]);
    }

    #[test]
    fn what_is_not_known_is_a_branch_from_somewhere() {
        let tree = tree(&[(3, Turn::JumpAfter(None)), (6, Turn::Replay { of: None, edited: true })]);
        assert_eq!(tree.branches().len(), 2);
        assert_eq!(tree.branches()[1].fork.unwrap().spot, Spot::Unknown);
    }

    fn any_turns() -> impl Strategy<Value = (usize, Vec<(usize, Turn)>, Vec<bool>)> {
        (1usize..60).prop_flat_map(|steps| {
            let turn = (0..steps, proptest::option::weighted(0.95, 0..steps), 0..3u8, any::<bool>()).prop_map(|(at, of, kind, edited)| {
                let turn = match kind {
                    0 => Turn::JumpAfter(of),
                    1 => Turn::JumpBefore(of),
                    _ => Turn::Replay { of, edited },
                };
                (at, turn)
            });
            let turns = proptest::collection::vec(turn, 0..20).prop_map(|mut turns| {
                turns.sort_by_key(|(at, _)| *at);
                turns.dedup_by_key(|(at, _)| *at);
                turns
            });
            (Just(steps), turns, proptest::collection::vec(proptest::bool::weighted(0.9), steps))
        })
    }

    proptest! {
        #[test]
        fn laws((steps, turns, states) in any_turns()) {
            let mut tree = Tree::default();
            for (at, turn) in &turns {
                tree.turn(*at, *turn, |step| states[step]);
            }
            let runs = tree.runs(steps);
            // Every step belongs to exactly one branch, and that is what it is told.
            let mut owner = vec![None; steps];
            for (branch, runs) in runs.iter().enumerate() {
                for step in runs.iter().cloned().flatten() {
                    prop_assert_eq!(owner[step].replace(branch), None);
                    prop_assert_eq!(tree.branch_of(step), branch);
                }
            }
            prop_assert!(owner.iter().all(Option::is_some));
            // Forks point back in time, to a step of the branch that was left, and no branch is without steps.
            for (nth, branch) in tree.branches().iter().enumerate() {
                let Some(fork) = branch.fork else { prop_assert_eq!(nth, 0); continue };
                prop_assert!(fork.parent < nth);
                prop_assert_eq!(owner[branch.first], Some(nth));
                if let Spot::After(step) = fork.spot {
                    prop_assert!(step < branch.first);
                    prop_assert_eq!(owner[step], Some(fork.parent));
                }
                if let Some(replay) = fork.replay {
                    prop_assert_eq!(owner[replay.step], Some(nth));
                }
            }
            // All are listed once, each below the one that it left.
            let rows = tree.rows();
            prop_assert_eq!(rows.len(), tree.branches().len());
            for (at, (branch, depth)) in rows.iter().enumerate() {
                if let Some(fork) = tree.branches()[*branch].fork {
                    let above = rows[..at].iter().rposition(|(_, above)| above < depth);
                    prop_assert_eq!(above.map(|at| rows[at].0), Some(fork.parent));
                }
            }
            prop_assert!(!turns.is_empty() || tree.is_linear());
        }
    }
}
