//! What long and heavy use does to the inspector and to the server: nothing may be lost uncounted, nothing may grow.
//!
//! Two loads, since no server of one process makes five thousand djust events a second on a desk's machine:
//!
//! * [`inspector`]: a thousand pages that come and go and 5,000 events a second, sent in the agent's protocol: the limit of
//!   *one inspector*. Who sends counts what it sent, as the agent does what does not fit.
//! * [`server`]: a real djust server with the real agent, and a thousand real connections that click: what is recorded, how
//!   much memory the server takes, and how long a click takes with and without an inspector.
//!
//! The inspector is a process of its own in both ([`record`]), so that its memory is its own, and what it has recorded is
//! counted in the library, opened again after it has ended. What is measured is judged by [`limits`], which were written
//! down before anything was.

pub mod agent;
pub mod inspector;
pub mod limits;
pub mod memory;
pub mod pages;
pub mod record;
pub mod server;
