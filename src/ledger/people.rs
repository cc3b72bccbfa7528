//! People's changes to records: this tenant has another name now, or is none of ours any more. No run at work may rely
//! on them.

use crate::model::address::Address;
use crate::model::record::{Record, State};
use crate::model::run::Life;

use super::contents::{Folder, RENAMING};
use super::error::LedgerError;
use super::{Held, format};

impl Held {
    /// Gives a record another address. It keeps its uid, so its keys stay its own.
    ///
    /// # Errors
    /// There is no such record, or one at the new address; it is in flight, or another run is; or it could not be written.
    pub async fn rename(&self, from: &Address, to: &Address) -> Result<Record, LedgerError> {
        let record = self.at_rest(from).await?;
        if let Some(there) = self.record(to).await? {
            return Err(LedgerError::Taken { address: to.clone(), state: there.state.word() });
        }
        let mut formerly = record.formerly.clone();
        formerly.push(from.clone());
        let renamed = Record { address: to.clone(), formerly, seq: record.seq.saturating_add(1), ..record };
        // Whoever reads only some of the records is told that this one may be there twice.
        let told = format!("{RENAMING}{}", format::tenant_name(from));
        let before = self.store.read(Folder::Tenants, &told).await?;
        self.store.replace(Folder::Tenants, &told, &before.place, b"{}\n").await?;
        // First the new one: cut short here, both are there, and a reader knows which of them follows the other.
        self.create(&renamed).await?;
        self.store.remove(Folder::Tenants, &format::tenant_name(from))?;
        self.store.remove(Folder::Tenants, &told)?;
        Ok(renamed)
    }

    /// Removes a record. What it was bound to stays as it is, and nothing here knows of it any more.
    ///
    /// # Errors
    /// There is no such record; it is in flight, or another run is; or it could not be removed.
    pub async fn forget(&self, address: &Address) -> Result<Record, LedgerError> {
        let record = self.at_rest(address).await?;
        self.store.remove(Folder::Tenants, &format::tenant_name(address))?;
        Ok(record)
    }

    /// A record that no run is about to change.
    async fn at_rest(&self, address: &Address) -> Result<Record, LedgerError> {
        let facts = self.facts()?;
        if let Some((run, _)) = facts.runs.iter().find(|(run, life)| *run != self.run() && **life == Life::Alive) {
            return Err(LedgerError::AtWork { place: facts.place, run: run.clone() });
        }
        let record = self.record(address).await?.ok_or_else(|| LedgerError::NoRecord { address: address.clone() })?;
        match &record.state {
            State::Free | State::Bound(_) | State::Settled(_) => Ok(record),
            State::Pending(_) | State::Settling(_) => {
                Err(LedgerError::InFlight { address: address.clone(), state: record.state.word() })
            }
        }
    }
}
