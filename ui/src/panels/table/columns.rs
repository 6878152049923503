//! The columns of the table: which there are, which are shown, how wide they are.

use egui::{Align, Layout, Rangef};
use serde::{Deserialize, Serialize};

use crate::app::order::SortBy;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The step's number, and whether it is marked.
    Number,
    /// When it began.
    Time,
    /// Kind and name, and what belongs to them.
    What,
    /// Whose page it was.
    User,
    /// Class of the view.
    View,
    /// The page's path.
    Path,
    /// What it changed.
    Changed,
    /// How long it took.
    Ms,
    /// Its queries.
    Sql,
    /// Its log records.
    Logs,
    /// Its WebSocket frames.
    Frames,
    /// The size of the state after it.
    State,
    /// How it ended.
    Status,
}

impl Column {
    /// All, from the left.
    pub const ALL: [Self; 13] = [
        Self::Number,
        Self::Time,
        Self::What,
        Self::User,
        Self::View,
        Self::Path,
        Self::Changed,
        Self::Ms,
        Self::Sql,
        Self::Logs,
        Self::Frames,
        Self::State,
        Self::Status,
    ];

    /// Those that go first where there is no room for all.
    const LEAST_FIRST: [Self; 10] =
        [Self::Frames, Self::Logs, Self::State, Self::Path, Self::View, Self::User, Self::Sql, Self::Ms, Self::Time, Self::Changed];

    /// In the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "#",
            Self::Time => "Time",
            Self::What => "What",
            Self::User => "User",
            Self::View => "View",
            Self::Path => "Path",
            Self::Changed => "Changed",
            Self::Ms => "ms",
            Self::Sql => "SQL",
            Self::Logs => "Log",
            Self::Frames => "Frames",
            Self::State => "State",
            Self::Status => "Status",
        }
    }

    /// What stands in it.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Number => "Number of the step",
            Self::Time => "When it began",
            Self::What => "What happened, and where",
            Self::User => "Whose page it was",
            Self::View => "Class of the view",
            Self::Path => "Path of the page",
            Self::Changed => "How much it changed, and where first",
            Self::Ms => "How long it took, milliseconds",
            Self::Sql => "Number of database queries",
            Self::Logs => "Number of log records",
            Self::Frames => "Number of WebSocket frames",
            Self::State => "Size of the state after it",
            Self::Status => "How it ended",
        }
    }

    /// What a click on its header sorts by.
    pub const fn sort(self) -> Option<SortBy> {
        match self {
            Self::Number | Self::Time => Some(SortBy::Number),
            Self::What => Some(SortBy::Name),
            Self::Changed => Some(SortBy::Changes),
            Self::Ms => Some(SortBy::Ms),
            Self::Sql => Some(SortBy::Sql),
            Self::State => Some(SortBy::State),
            Self::User | Self::View | Self::Path | Self::Logs | Self::Frames | Self::Status => None,
        }
    }

    /// Whether it can be hidden.
    pub const fn can_hide(self) -> bool {
        !matches!(self, Self::Number | Self::What | Self::Status)
    }

    const fn width(self, roomy: bool) -> f32 {
        match self {
            Self::Number => 62.0,
            Self::Time => 88.0,
            // What is left.
            Self::What => 0.0,
            Self::User | Self::View => 96.0,
            Self::Path => 110.0,
            Self::Changed => {
                if roomy {
                    150.0
                } else {
                    112.0
                }
            }
            Self::Ms => 48.0,
            Self::Sql => 36.0,
            Self::Logs => 34.0,
            Self::Frames => 50.0,
            Self::State => 64.0,
            Self::Status => 78.0,
        }
    }

    /// Numbers stand at the right.
    pub fn layout(self) -> Layout {
        if self.is_number() { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) }
    }

    /// Whether numbers stand in it.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Ms | Self::Sql | Self::Logs | Self::Frames | Self::State)
    }
}

/// Which columns the user wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen(Vec<Column>);

impl Default for Chosen {
    fn default() -> Self {
        Self(Column::ALL.into_iter().filter(|column| Self::by_default(*column)).collect())
    }
}

impl Chosen {
    const fn by_default(column: Column) -> bool {
        use Column::{Changed, Ms, Number, Sql, Status, Time, What};
        matches!(column, Number | Time | What | Changed | Ms | Sql | Status)
    }

    /// Shows these, and those that cannot be hidden.
    pub fn set(&mut self, columns: &[Column]) {
        self.0 = Column::ALL.into_iter().filter(|column| columns.contains(column) || !column.can_hide()).collect();
    }

    /// Shows or hides one.
    pub fn toggle(&mut self, column: Column) {
        let has = self.has(column);
        self.0 =
            Column::ALL.into_iter().filter(|other| if *other == column { !has || !column.can_hide() } else { self.has(*other) }).collect();
    }

    /// Whether one is wanted.
    pub fn has(&self, column: Column) -> bool {
        self.0.contains(&column)
    }

    /// Those that were chosen; `None` as long as they are the usual ones.
    pub fn chosen(&self) -> Option<Vec<Column>> {
        (*self != Self::default()).then(|| self.0.clone())
    }

    /// The columns for which there is room, and where they stand.
    pub fn places(&self, width: f32) -> Vec<(Column, Rangef)> {
        const GAP: f32 = 10.0;
        /// Room that What has at least, as long as something else can go.
        const WHAT: f32 = 120.0;
        let roomy = width > 760.0;
        let mut columns = self.0.clone();
        let taken = |columns: &[Column]| columns.iter().map(|column| column.width(roomy) + GAP).sum::<f32>();
        for least in Column::LEAST_FIRST {
            if taken(&columns) + WHAT <= width {
                break;
            }
            columns.retain(|column| *column != least);
        }
        let rest = (width - taken(&columns)).max(WHAT);
        let mut x = 0.0;
        let place = |column: Column| {
            let wide = if column == Column::What { rest } else { column.width(roomy) };
            let place = Rangef::new(x, x + wide);
            x += wide + GAP;
            (column, place)
        };
        columns.into_iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_one_after_the_other_when_there_is_no_room() {
        let names = |chosen: &Chosen, width| chosen.places(width).into_iter().map(|(column, _)| column.name()).collect::<Vec<_>>();
        let mut chosen = Chosen::default();
        assert_eq!(names(&chosen, 700.0), ["#", "Time", "What", "Changed", "ms", "SQL", "Status"]);
        assert_eq!(names(&chosen, 480.0), ["#", "What", "Changed", "Status"]);
        assert_eq!(names(&chosen, 200.0), ["#", "What", "Status"]);
        for column in Column::ALL {
            if !chosen.has(column) {
                chosen.toggle(column);
            }
        }
        assert_eq!(names(&chosen, 2_000.0).len(), Column::ALL.len());
        assert_eq!(names(&chosen, 700.0), ["#", "Time", "What", "Changed", "ms", "SQL", "Status"], "what is chosen beyond goes first");
    }

    #[test]
    fn columns_stand_beside_each_other() {
        for width in [120.0, 400.0, 700.0, 1_500.0] {
            for pair in Chosen::default().places(width).windows(2) {
                assert!(pair[0].1.max < pair[1].1.min, "{width}");
            }
        }
    }

    #[test]
    fn what_a_row_is_told_by_cannot_be_hidden() {
        let mut chosen = Chosen::default();
        chosen.toggle(Column::What);
        chosen.toggle(Column::Time);
        assert!(chosen.has(Column::What) && !chosen.has(Column::Time));
        chosen.set(&[Column::User]);
        assert_eq!(chosen.chosen(), Some(vec![Column::Number, Column::What, Column::User, Column::Status]));
        chosen.set(&[Column::Time, Column::Changed, Column::Ms, Column::Sql]);
        assert_eq!(chosen.chosen(), None);
    }
}
