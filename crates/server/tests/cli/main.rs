//! The real program, run as people and scripts run it.

mod support;

mod command_line;
mod importing;
mod keeping;
mod roles;
mod serving;
