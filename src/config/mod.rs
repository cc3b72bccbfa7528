//! Bytes → desired state and settings, or every fault at once. Reads no file: `cli` does.

mod desired;
mod diagnostic;
mod read;
mod resolve;
pub mod schema;
mod settings;
mod source;
mod suggest;
mod syntax;

use std::path::Path;

pub use diagnostic::{Fault, Place, Report, Secondary};
pub use source::Source;

use crate::model;
use diagnostic::Faults;

/// Reads the settings. `base` is the absolute folder of their file, which relative paths are relative to.
///
/// # Errors
/// Every fault of the file.
pub fn settings(source: &Source, base: &Path) -> Result<model::settings::Settings, Report> {
    let mut faults = Faults::new(std::slice::from_ref(source), true);
    let settings = settings::file(0, base, &mut faults);
    faults.finish(settings)
}

/// Reads the desired state: merges the files, applies profiles, checks references.
///
/// # Errors
/// Every fault of every file.
pub fn desired(sources: &[Source], settings: &model::settings::Settings) -> Result<model::desired::Desired, Report> {
    let mut faults = Faults::new(sources, false);
    let files = (0..sources.len()).map(|index| desired::file(index, &mut faults)).collect();
    let items = resolve::items(files, Some(settings), &mut faults);
    faults.finish(Some(resolve::join(items, settings)))
}

/// Checks desired state without settings, and counts its objects: all but the references into settings.
///
/// # Errors
/// Every fault of every file.
pub fn validate(sources: &[Source]) -> Result<usize, Report> {
    let mut faults = Faults::new(sources, false);
    let files = (0..sources.len()).map(|index| desired::file(index, &mut faults)).collect();
    let items = resolve::items(files, None, &mut faults);
    faults.finish(Some(items.len()))
}
