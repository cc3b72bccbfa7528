//! What a shell may complete a word to: names in desired state and settings, as far as files at hand can be read. Nothing is sent.

use std::ffi::OsString;
use std::path::PathBuf;

use clap_complete::engine::CompletionCandidate;

use crate::config;

use super::sources::{self, Reading, SETTINGS_NAME, SETTINGS_VARIABLE};

/// The line as it stands, which a shell hands over behind `--`.
pub(super) fn typed() -> Vec<OsString> {
    std::env::args_os().skip(1).skip_while(|word| word != "--").skip(1).collect()
}

/// The addresses that are declared where the line looks, as far as files can be read.
pub(super) fn addresses() -> Vec<CompletionCandidate> {
    let words: Vec<PathBuf> = typed().into_iter().skip(1).map(PathBuf::from).collect();
    let settings = settings_file(&words);
    // What an option takes is no desired state.
    let paths: Vec<PathBuf> =
        words.iter().filter(|word| word.exists() && Some(*word) != settings.as_ref()).cloned().collect();
    let Ok(cwd) = std::env::current_dir() else { return Vec::new() };
    let reading =
        Reading { cwd: &cwd, settings_file: settings.as_deref(), attended: true, recursive: recursive(&words) };
    let Ok(gathered) = sources::gather(&paths, reading) else { return Vec::new() };
    config::addresses(&gathered.sources).iter().map(|address| CompletionCandidate::new(address.to_string())).collect()
}

/// Those of tenants.
pub(super) fn tenants() -> Vec<CompletionCandidate> {
    let is_tenant = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().matches('/').count() == 1;
    addresses().into_iter().filter(is_tenant).collect()
}

/// Those of keys.
pub(super) fn keys() -> Vec<CompletionCandidate> {
    let is_key = |candidate: &CompletionCandidate| candidate.get_value().to_string_lossy().matches('/').count() == 2;
    addresses().into_iter().filter(is_key).collect()
}

/// The accounts that the settings have.
pub(super) fn accounts() -> Vec<CompletionCandidate> {
    let words: Vec<PathBuf> = typed().into_iter().skip(1).map(PathBuf::from).collect();
    let read = settings_file(&words).and_then(|file| {
        let source = sources::load_settings(&file).ok()?;
        config::settings(&source, &std::env::current_dir().ok()?).ok()
    });
    let Some(settings) = read else { return Vec::new() };
    settings.qlik.keys().map(|name| CompletionCandidate::new(name.to_string())).collect()
}

fn recursive(words: &[PathBuf]) -> bool {
    words.iter().any(|word| word.as_os_str() == "--recursive")
}

/// Of `--settings`, the variable, or at hand: only names are taken from it.
fn settings_file(words: &[PathBuf]) -> Option<PathBuf> {
    let behind = words.windows(2).find_map(|pair| match pair {
        [option, file] if option.as_os_str() == "--settings" => Some(file.clone()),
        _ => None,
    });
    let joined = || words.iter().find_map(|word| Some(PathBuf::from(word.to_str()?.strip_prefix("--settings=")?)));
    let named = || std::env::var_os(SETTINGS_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let beside = || {
        let folders = words.iter().filter(|word| word.is_dir()).cloned();
        [PathBuf::new()].into_iter().chain(folders).map(|folder| folder.join(SETTINGS_NAME)).find(|file| file.is_file())
    };
    behind.or_else(joined).or_else(named).or_else(beside)
}
