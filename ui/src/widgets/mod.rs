//! Small things that panels are made of. They know the theme, and of the model only its values.

pub mod diff_list;
pub mod fidelity;
pub mod icons;
pub mod ignore;
pub mod long_list;
pub mod palette;
pub mod parts;
pub mod rich;
pub mod toasts;
pub mod trace;
pub mod tree;
