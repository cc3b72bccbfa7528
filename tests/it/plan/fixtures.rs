//! A test for each folder of `fixtures/plan`, with the folder's name.
#![expect(non_snake_case, reason = "a test is named as its folder is, and codes have capitals")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use qlik_plan::model::live::Observed;
use qlik_plan::model::marker::{Letter, Marker};
use qlik_plan::plan::action::Action;
use qlik_plan::plan::review::Review;
use qlik_plan::render::{Look, Verdict, json, text};
use qlik_plan::saved;

use super::{Case, case, cases, root};

macro_rules! folders {
    ($($name:ident)*) => {
        /// Every folder as its test is called.
        const LISTED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                plans_as_expected(&case(root().join(stringify!($name).replace('_', "-"))));
            }
        )*
    };
}

folders! {
    QP0201_ledger_missing_in_ci
    QP0201_ledger_missing_with_keys_in_a_sink
    QP0202_foreign_ledger
    QP0203_tenant_in_doubt
    QP0203_tenant_in_doubt_at_imburse
    QP0204_settling_in_doubt
    QP0205_tenant_gone
    QP0205_tenant_gone_at_imburse
    QP0206_tenant_disabled
    QP0206_tenant_not_active
    QP0207_other_tenant
    QP0208_adoption_not_found
    QP0208_adoption_not_found_at_imburse
    QP0209_adoption_conflict
    QP0209_adoption_conflict_at_imburse
    QP0210_bound_to_another_address
    QP0210_bound_to_another_address_at_imburse
    QP0210_one_tenant_at_two_addresses
    QP0210_one_tenant_at_two_addresses_at_imburse
    QP0211_unreadable
    QP0212_other_region
    QP0212_other_region_at_imburse
    QP0213_no_source_tenant
    QP0215_ledger_not_durable
    QP0216_found_by_alias
    QP0217_unmanaged_tenant
    QP0218_renamed
    QP0218_renamed_at_imburse
    QP0219_credentials_refused
    QP0220_ledger_nearly_full
    QP0221_clock_astray
    QP0222_tenant_of_another_group
    QP0230_several_of_one_name
    QP0231_found_by_name
    QP0231_found_by_name_in_another_group
    QP0232_rejected_one_of_the_same_name
    QP0232_tenant_rejected
    QP0233_no_account_role
    QP0301_deleted_in_its_store
    QP0301_delivered_elsewhere
    QP0301_delivered_elsewhere_at_imburse
    QP0302_unmarked_key
    QP0302_unmarked_key_at_imburse
    QP0303_no_headroom
    QP0303_no_headroom_for_a_user
    QP0303_no_room_for_renewals_in_a_new_tenant
    QP0304_a_kept_key_could_not_be_renewed
    QP0304_expiry_too_long
    QP0305_no_permission
    QP0305_permission_not_editable
    QP0305_role_does_not_reach_the_owner
    QP0305_role_not_editable
    QP0306_no_owner_credentials
    QP0307_sink_cannot_be_written
    QP0307_sink_holds_another_key
    QP0307_sink_knows_a_tenant_that_the_ledger_does_not
    QP0307_unseen_and_never_marked_at_imburse
    QP0307_unseen_cannot_be_replaced_at_imburse
    QP0308_adopted_key_gone
    QP0308_adopted_key_gone_at_imburse
    QP0309_owner_changed
    QP0309_owner_changed_before_it_is_due
    QP0309_owner_changed_to_nobody_yet
    QP0310_owner_of_a_tenant_to_be_made
    QP0310_owner_of_another_tenant
    QP0311_owner_by_id_in_a_new_tenant
    QP0311_owner_missing
    QP0312_owner_inactive
    QP0312_owner_of_a_kept_key_disabled
    QP0313_grantee_missing
    QP0314_metadata_tracked_at_imburse
    QP0314_secret_tracked
    QP0315_role_allows_more
    QP0315_role_allows_more_as_declared
    QP0315_role_of_the_vendor
    QP0330_several_keys_of_one_name
    QP0331_leftover_that_cannot_be_revoked
    QP0331_leftover_that_nobody_can_see
    QP0331_two_keys_did_not_reach_all_homes
    QP0332_replaced_and_never_marked_at_imburse
    QP0332_replaced_before_it_is_marked
    QP0332_replaced_before_it_is_marked_at_imburse
    QP0401_too_many_keys
    QP0401_too_many_tenants
    QP0401_too_many_tenants_at_imburse
    QP0402_licence_expired
    QP0402_tenants_used_up_at_imburse
    QP0403_not_rehearsed
    QP0404_rehearsal_failed
    QP0601_no_longer_declared
    QP0601_no_longer_declared_at_imburse
    QP0602_no_room_for_a_renewal
    QP0610_superseded_at_imburse
    adopt
    another_groups_tenants_are_not_missed
    as_declared
    as_declared_in_a_store_that_forgets
    as_declared_with_a_user_and_a_role
    blind_sink
    blind_sink_leftover
    blind_sink_that_was_seen
    create_key
    create_key_dead
    create_tenant
    create_tenant_said_to_be_new
    create_user
    create_user_in_a_new_tenant
    drift
    grant_through_a_role
    grant_to_people_of_a_new_tenant
    imburse_account_page_forbidden
    imburse_adopt
    imburse_approval_asked_for
    imburse_as_declared
    imburse_create_key
    imburse_create_key_dead
    imburse_drift
    imburse_key_made_otherwise
    imburse_leftover_that_was_delivered_over
    imburse_mark
    imburse_mark_refused
    imburse_mark_refused_long_ago
    imburse_may_still_arrive_in_a_vault
    imburse_new_estate
    imburse_nothing_is_spent_in_vain
    imburse_overtaken_in_a_file
    imburse_overtaken_in_a_vault
    imburse_preflight_read
    imburse_preflight_read_of_two_delivered
    imburse_reclaim_after_a_successor
    imburse_reclaim_asked
    imburse_replace_asked
    imburse_said_not_created
    imburse_unmanaged
    imburse_wait_another_run
    imburse_wait_for_approval
    key_made_otherwise
    left_to_expire
    left_to_expire_on_other_machines
    leftover_of_a_run_over_by_the_clock
    leftover_that_was_delivered_over
    mark
    move_to_another_group
    new_estate
    nothing_declared
    overtaken_in_a_file
    preflight_read
    reclaim_after_a_successor
    reminted
    renew
    renew_at_a_later_time
    replace_asked
    role_allows_more_and_is_held_already
    room_for_a_renewal
    settle_only_the_record
    settle_the_rest
    several_homes_as_declared
    several_homes_half_delivered
    several_homes_new
    several_homes_one_unseen
    several_homes_one_was_added
    several_homes_one_was_emptied
    several_homes_replaced_in_one
    superseded_keys_are_named
    trust_and_grant
    unmanaged
    unmanaged_not_known
    wait
}

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/plan.v1.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

/// The plan as text, and as JSON where the folder keeps that: every folder's JSON is held to the schema.
fn plans_as_expected(case: &Case) {
    let plan = case.plan();
    let verdict = Verdict::of_plan(&plan, u8::from(plan.has_refusals()));
    let document = json::plan(&plan, &verdict);
    let mut wrong: Vec<String> =
        difference(&case.folder.join("expected.txt"), &text::plan(&plan, &Look::PLAIN)).into_iter().collect();
    let kept = case.folder.join("expected.json");
    if kept.exists() {
        wrong.extend(difference(&kept, &document));
    }
    let document: Value = serde_json::from_str(&document).unwrap();
    wrong.extend(SCHEMA.iter_errors(&document).map(|error| error.to_string()));
    assert!(wrong.is_empty(), "{}; UPDATE_FIXTURES=1 writes what is expected:\n{}", case.name(), wrong.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "a test may be told to write its expectations")]
fn difference(file: &Path, actual: &str) -> Option<String> {
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(file, actual).unwrap();
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    let diff = similar::TextDiff::from_lines(expected.as_str(), actual).unified_diff().to_string();
    (expected != actual).then(|| format!("{}:\n{diff}", file.display()))
}

#[test]
fn every_folder_is_listed() {
    let folders: BTreeSet<String> = cases().iter().map(|case| case.name().replace('-', "_")).collect();
    let listed: BTreeSet<String> = LISTED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(listed.len(), LISTED.len(), "a folder is listed twice");
    let unlisted: Vec<&String> = folders.difference(&listed).collect();
    assert!(unlisted.is_empty(), "these folders have no line in tests/it/plan/fixtures.rs: {unlisted:?}");
    let gone: Vec<&String> = listed.difference(&folders).collect();
    assert!(gone.is_empty(), "these lines in tests/it/plan/fixtures.rs have no folder: {gone:?}");
}

/// Few folders keep their JSON, and those few show every form that a plan's JSON takes in any folder.
#[test]
fn the_documents_that_are_kept_show_every_form() {
    let (mut shown, mut first) = (BTreeSet::new(), BTreeMap::new());
    for case in cases() {
        let plan = case.plan();
        let document = json::plan(&plan, &Verdict::of_plan(&plan, u8::from(plan.has_refusals())));
        let mut own = BTreeSet::new();
        forms("document", &serde_json::from_str(&document).unwrap(), &mut own);
        if case.folder.join("expected.json").exists() {
            shown.append(&mut own);
        } else {
            own.into_iter().for_each(|form| _ = first.entry(form).or_insert_with(|| case.name()));
        }
    }
    let missing: Vec<String> = first
        .iter()
        .filter(|(form, _)| !shown.contains(*form))
        .map(|(form, name)| format!("{form} ({name})"))
        .collect();
    assert!(
        missing.is_empty(),
        "an empty expected.json in one of these folders lets UPDATE_FIXTURES=1 write it: {missing:?}"
    );
}

/// Members whose words tell kinds apart.
const KINDS: [&str; 8] = ["adopted", "cause", "kind", "letter", "object", "outcome", "permission", "step"];

/// Every member by the object that it stands in, every word that tells a kind, every list that may be empty.
fn forms(name: &str, value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                into.insert(format!("{name}.{member}"));
                if let (true, Some(word)) = (KINDS.contains(&member.as_str()), value.as_str()) {
                    into.insert(format!("{name}.{member}: {word}"));
                }
                forms(member, value, into);
            }
        }
        Value::Array(items) => {
            if items.is_empty() {
                into.insert(format!("{name}: none"));
            }
            items.iter().for_each(|item| forms(name, item, into));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Actions at Imburse first stood apart, under a member of their own.
#[test]
fn saved_plans_of_0_1_0_are_the_plans_of_today() {
    let folder = root().parent().unwrap().join("v0.1.0/plans");
    let mut read = 0;
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let case = case(root().join(file.file_stem().unwrap()));
        let saved = saved::read_plan("old.plan", &super::read(&file)).unwrap();
        assert_eq!(saved.plan, case.plan(), "{}", file.display());
        read += 1;
    }
    assert_eq!(read, 9);
}

#[test]
fn every_plan_is_read_as_it_was_saved() {
    for case in cases() {
        let (name, plan) = (case.name(), case.plan());
        let text = saved::write_plan(&plan, &case.wishes, &case.desired.selection, None).unwrap();
        let read = saved::read_plan("a.plan", &text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.plan, plan, "{name}");
        assert_eq!(read.hash, json::hash(&plan), "{name}");
    }
}

/// A key that is marked has the mark for an action; that its payload was made otherwise is told by a look into the sink alone.
#[test]
fn a_plan_that_marks_a_key_is_the_same_plan_whatever_shape_its_payload_has() {
    for folder in ["key-made-otherwise", "imburse-key-made-otherwise"] {
        let mut case = case(root().join(folder));
        let undelivered = |marker: &mut Option<Marker>| {
            if let Some(marker) = marker {
                marker.letter = Letter::Undelivered;
            }
        };
        for tenant in case.live.qlik.tenants.values_mut() {
            let Some(Observed::Present(keys)) = &mut tenant.keys else { continue };
            keys.values_mut().for_each(|key| undelivered(&mut key.marker));
        }
        for tenant in case.live.imburse.tenants.values_mut() {
            let Some(Observed::Present(keys)) = &mut tenant.keys else { continue };
            keys.values_mut().for_each(|key| undelivered(&mut key.marker));
        }
        let with = case.plan();
        let has = |what: fn(&Action) -> bool| with.actions.iter().any(|planned| what(&planned.action));
        assert!(
            has(|action| matches!(action, Action::Mark(_))) && has(|action| matches!(action, Action::Drift(_))),
            "{folder}"
        );
        for sink in case.live.sinks.values_mut() {
            if let Some(Observed::Present(entry)) = &mut sink.entry {
                entry.made_as = None;
            }
        }
        let without = case.plan();
        assert_eq!(json::hash(&with), json::hash(&without), "{folder}");
        assert!(Review::of(&without, with).moved.is_empty(), "{folder}");
    }
}
