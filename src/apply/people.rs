//! Owners who are made, and roles that are made and given. Everything here may be done twice and is there once: subjects and
//! names of roles are unique, and a role is only given to whom it is not given yet.

use crate::model::address::{Address, Name};
use crate::model::host::Host;
use crate::model::live::{CallerLive, RoleLive};
use crate::model::object::Object;
use crate::model::spec::{Owner, User};
use crate::model::untrusted::Untrusted;
use crate::plan::action::{ByRole, CreateObject, Grant, TenantRef};
use crate::provider::http::Outcome;
use crate::provider::qlik::Assignee;

use super::event::{Failure, Step};
use super::outcome::{Known, host_of, known};
use super::world::World;

/// Makes an object of a tenant, if it is not there by now.
pub(super) async fn create(world: &World<'_>, create: &CreateObject, at: &TenantRef) -> Result<String, Failure> {
    let host = host_of(world.desired, &create.account, at)?;
    #[cfg_attr(not(test), expect(clippy::infallible_destructuring_match, reason = "another kind is another arm"))]
    let user = match &create.object {
        Object::User(user) => user,
        #[cfg(test)]
        Object::Space(space) => return space_of(world, &create.account, &host, space).await,
    };
    let (id, made) = ensure(world, &create.account, &host, user).await?;
    Ok(if made { format!("{id} ({user})") } else { format!("{id} ({user}) was there already") })
}

/// The id of a user who is there now, and whether this run made it.
pub(super) async fn ensure(
    world: &World<'_>,
    account: &Name,
    host: &Host,
    user: &User,
) -> Result<(Untrusted, bool), Failure> {
    if let Some(found) = look(world, account, host, user).await? {
        return Ok((found.user_id, false));
    }
    let outcome = world.qlik.create_user(account, host, user).await;
    let failure = match outcome {
        Outcome::Committed(id) => return Ok((id, true)),
        outcome @ (Outcome::NotSent(_)
        | Outcome::Rejected(_)
        | Outcome::CommittedUnreadable(_)
        | Outcome::Unknown(_)) => match known(outcome) {
            Known::Done(id) => return Ok((id, true)),
            Known::Not(failure) | Known::Unclear(failure) => failure,
        },
    };
    // A lost answer, or somebody was faster: the subject is unique, so whoever has it is the one.
    match look(world, account, host, user).await? {
        Some(found) => Ok((found.user_id, true)),
        None => Err(failure),
    }
}

/// Makes a space, if none of its name is there by now. Only tests have this kind.
#[cfg(test)]
async fn space_of(
    world: &World<'_>,
    account: &Name,
    host: &Host,
    space: &crate::model::object::Space,
) -> Result<String, Failure> {
    let there = world.qlik.reader().spaces(account, host).await;
    if there.map_err(|error| Failure::from(error.unreadable()))?.contains(&space.name) {
        return Ok(format!("{} was there already", space.name));
    }
    match known(world.qlik.create_space(account, host, space).await) {
        Known::Done(id) => Ok(id.to_string()),
        Known::Not(failure) | Known::Unclear(failure) => Err(failure),
    }
}

async fn look(world: &World<'_>, account: &Name, host: &Host, user: &User) -> Result<Option<CallerLive>, Failure> {
    world.qlik.reader().person(account, host, user).await.map_err(|error| error.unreadable().into())
}

/// The user that a key is to be minted for: there, and able to be acted for.
pub(super) async fn owner(world: &World<'_>, account: &Name, host: &Host, user: &User) -> Result<CallerLive, Failure> {
    match look(world, account, host, user).await? {
        Some(found) if found.is_active() => Ok(found),
        Some(found) => Err(Failure::new(
            format!("the owner ({user}) is {} in {host}, so nobody can act for it", found.status),
            "activate the user, then qlik-apply again",
        )),
        None => Err(Failure::new(format!("the owner ({user}) is not in {host}"), "qlik-apply again")),
    }
}

/// Makes a role that is missing, or adds the permission to it, and gives it to those who lack it.
pub(super) async fn grant_by_role(
    world: &World<'_>,
    address: &Address,
    grant: &Grant,
    by: &ByRole,
    at: &TenantRef,
) -> Result<String, Failure> {
    let account = &grant.account;
    let host = host_of(world.desired, account, at)?;
    let name = &by.role;
    let role = ensure_role(world, account, &host, name).await?;
    // Somebody may have added to it since it was planned, and whoever is given the role gets that too.
    let grown: Vec<String> =
        role.also_allows.iter().filter(|also| !by.also_allows.contains(also)).map(ToString::to_string).collect();
    if !grown.is_empty() {
        return Err(Failure::new(
            format!(
                "role {} allows more by now than was planned ({}), and nobody was given it",
                Untrusted::from(name.as_str()),
                grown.join(", ")
            ),
            "plan again, and review what the role gives",
        ));
    }
    let mut failures: Vec<Failure> = Vec::new();
    for owner in &by.to {
        let assigned = async {
            let id = user_id(world, account, &host, owner).await?;
            let read = || async {
                let read = world.qlik.reader().user_roles(account, &host, id.raw()).await;
                read.map_err(|error| Failure::from(error.unreadable()))
            };
            assign(world, address, account, &host, name, &role, read).await
        };
        failures.extend(assigned.await.err());
    }
    for group in &by.groups {
        let read = || async {
            let found = world.qlik.reader().group_roles(account, &host, group).await;
            let found = found.map_err(|error| Failure::from(error.unreadable()))?;
            let shown = Untrusted::from(group.as_str());
            found.ok_or_else(|| Failure::new(format!("there is no group {shown} in {host}"), "plan again"))
        };
        failures.extend(assign(world, address, account, &host, name, &role, read).await.err());
    }
    match failures.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(format!("\"Manage API keys\" through role {}", Untrusted::from(name.as_str()))),
    }
}

async fn user_id(world: &World<'_>, account: &Name, host: &Host, owner: &Owner) -> Result<Untrusted, Failure> {
    match owner {
        Owner::User(user) => match look(world, account, host, user).await? {
            Some(found) => Ok(found.user_id),
            None => Err(Failure::new(format!("there is no user with {user} in {host}"), "plan again")),
        },
        Owner::Client | Owner::Configured(_) => {
            let caller = world.qlik.reader().caller(account, host, owner).await;
            caller.map(|caller| caller.user_id).map_err(|error| error.unreadable().into())
        }
    }
}

/// The role, with the permission.
async fn ensure_role(world: &World<'_>, account: &Name, host: &Host, name: &str) -> Result<RoleLive, Failure> {
    let look = || async {
        let read = world.qlik.reader().role(account, host, name).await;
        read.map_err(|error| Failure::from(error.unreadable()))
    };
    let failure = match look().await? {
        Some(role) if role.manages_api_keys => return Ok(role),
        Some(role) => match known(world.qlik.permit(account, host, role.id.raw()).await) {
            Known::Done(()) => return Ok(RoleLive { manages_api_keys: true, ..role }),
            Known::Not(failure) | Known::Unclear(failure) => failure,
        },
        None => match known(world.qlik.create_role(account, host, name).await) {
            Known::Done(id) => {
                return Ok(RoleLive {
                    id,
                    can_edit: true,
                    manages_api_keys: true,
                    also_allows: Vec::new(),
                    built_in: false,
                });
            }
            Known::Not(failure) | Known::Unclear(failure) => failure,
        },
    };
    // A lost answer, or somebody was faster: names of roles are unique.
    look().await?.filter(|role| role.manages_api_keys).ok_or(failure)
}

/// Reads, adds, writes back: the vendor takes the whole list only, and gives nothing to compare with. What somebody changes
/// between the reading and the writing is lost to them, so both stand close together, and what is missing afterwards is said.
async fn assign<F: Future<Output = Result<Assignee, Failure>>>(
    world: &World<'_>,
    address: &Address,
    account: &Name,
    host: &Host,
    name: &str,
    role: &RoleLive,
    read: impl Fn() -> F,
) -> Result<(), Failure> {
    let before = read().await?;
    if before.has(role, name) {
        return Ok(());
    }
    let failure = match known(world.qlik.assign(account, host, &before, name).await) {
        Known::Done(()) => return Ok(()),
        Known::Not(failure) => return Err(failure),
        Known::Unclear(failure) => failure,
    };
    // Also after a 207, which says that a part was not done.
    let after = read().await?;
    let lost: Vec<String> = after.lost_since(&before).iter().map(ToString::to_string).collect();
    if !lost.is_empty() {
        let text = format!("{} has no longer {}, which is no role of the tenant any more", after.id, lost.join(", "));
        world.note(address, Step::Grant, text);
    }
    if after.has(role, name) { Ok(()) } else { Err(failure) }
}
