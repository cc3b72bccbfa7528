//! `--into FILE`: what was imported, added to a file of desired state of which every other byte stays.

use std::io::Write as _;
use std::path::Path;

use crate::config::{self, Source};
use crate::model::address::Address;
use crate::model::settings::Settings;
use crate::model::spec::Spec;
use crate::model::untrusted::escape;
use crate::render::existing::{Existing, added_lines, desired_state, tenants};

use super::super::super::exit::Problem;
use super::super::super::files;
use super::super::super::output::Output;

/// Adds the tenants to the file, or shows what would be added.
pub(super) fn add(
    file: &Path,
    dry_run: bool,
    (qlik, imburse): (&[Existing], &[Existing]),
    settings: &Settings,
    output: &Output,
) -> Result<(), Problem> {
    let shown = escape(&file.to_string_lossy());
    let before = if file.exists() { Some(files::load(file, "--into")?) } else { None };
    let after = match &before {
        None => desired_state(qlik, imburse),
        Some(before) => added(before, qlik, imburse, settings).ok_or_else(|| {
            Problem::new(
                format!("--into {shown}: its tenants are written in a form that lines cannot be added to"),
                "write `tenants:` with one entry a line, without braces; or leave --into out and put in what is printed",
            )
        })?,
    };
    if dry_run {
        return output.yaml(&added_lines(before.as_deref().unwrap_or_default(), &after, &shown));
    }
    write(file, &after).map_err(|error| {
        Problem::new(format!("--into {shown}: it cannot be written: {error}"), "name a file that you may write")
    })
}

/// The text with the tenants in it, if it declares what it declared and them besides, and nothing else.
fn added(before: &str, qlik: &[Existing], imburse: &[Existing], settings: &Settings) -> Option<String> {
    let mut after = before.to_owned();
    for (vendor, existing) in [("qlik", qlik), ("imburse", imburse)] {
        if !existing.is_empty() {
            after = config::insert::tenants(&after, vendor, &tenants(existing))?;
        }
    }
    let mut expected = declared(before, settings)?;
    expected.extend(declared(&desired_state(qlik, imburse), settings)?);
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    (declared(&after, settings)? == expected).then_some(after)
}

/// What a text declares, in the order of addresses, wherever it stands.
fn declared(text: &str, settings: &Settings) -> Option<Vec<(Address, Spec)>> {
    let source = Source { name: String::new(), text: text.to_owned() };
    let desired = config::desired(&[source], settings).ok()?;
    let without_place = |mut spec: Spec| {
        if let Spec::QlikTenant(tenant) = &mut spec {
            tenant.grants.at = None;
        }
        spec
    };
    Some(desired.items.into_iter().map(|(address, declared)| (address, without_place(declared.spec))).collect())
}

/// Replaces the file whole, with the rights that it has. A link stays one.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let real = if file.exists() { file.canonicalize()? } else { file.to_path_buf() };
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".qlik-plan-").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    match real.metadata() {
        Ok(metadata) => new.as_file().set_permissions(metadata.permissions())?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            new.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        }
        Err(error) => return Err(error),
    }
    new.persist(&real)?;
    Ok(())
}
