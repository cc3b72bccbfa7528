//! Lists in pages: cursors, limits and the links that nobody should trust.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::reply::{Reply, bad_request};
use crate::sandbox::state::State;
use crate::sandbox::switches::LastPage;

/// The body of a list that is asked for by POST.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InBody {
    pub(super) filter: Option<String>,
}

/// What a request said about paging. Cursor parameters differ by service; one without a name is not there.
pub(super) struct Page {
    after_name: &'static str,
    before_name: &'static str,
    limit: usize,
    after: Option<String>,
    before: Option<String>,
    /// Whether the answer says how many there are on all pages.
    total: bool,
    limit_min: usize,
    limit_max: usize,
    /// Where the links lead, in the place of where the request came; and what they call the next page's cursor.
    place: Option<&'static str>,
    next_name: &'static str,
}

impl Page {
    pub(super) fn new(after_name: &'static str, before_name: &'static str) -> Self {
        Self {
            after_name,
            before_name,
            limit: 20,
            after: None,
            before: None,
            total: false,
            limit_min: 1,
            limit_max: 100,
            place: None,
            next_name: after_name,
        }
    }

    /// A limit of 0 is taken: a page of nothing.
    pub(super) fn limited_from_nothing(self) -> Self {
        Self { limit_min: 0, ..self }
    }

    /// So many at most on one page.
    pub(super) fn limited_to(self, limit_max: usize) -> Self {
        Self { limit_max, ..self }
    }

    /// The links lead elsewhere, and call the cursor what no request calls it.
    pub(super) fn linking(self, place: &'static str, next_name: &'static str) -> Self {
        Self { place: Some(place), next_name, ..self }
    }

    /// `totalResults`, where a service has it.
    pub(super) fn count(&mut self, value: &str) -> Result<(), Reply> {
        self.total = value.parse().map_err(|_| bad_request("totalResults is true or false"))?;
        Ok(())
    }

    pub(super) fn read(&mut self, name: &str, value: &str) -> Result<(), Reply> {
        if name == "limit" {
            self.limit =
                value.parse().ok().filter(|limit| (self.limit_min..=self.limit_max).contains(limit)).ok_or_else(
                    || bad_request(&format!("limit is a number from {} to {}", self.limit_min, self.limit_max)),
                )?;
        } else if name == self.after_name {
            self.after = Some(value.to_owned());
        } else if name == self.before_name {
            self.before = Some(value.to_owned());
        } else {
            return Err(bad_request("a query parameter that this call does not have"));
        }
        if self.after.is_some() && self.before.is_some() {
            return Err(bad_request("the two cursors exclude each other"));
        }
        Ok(())
    }
}

/// One page of the items, which are in order. A cursor that is not among them is refused.
pub(super) fn paged(state: &State, call: &Call<'_>, page: &Page, items: Vec<(String, Value)>) -> Reply {
    let position = |cursor: &Option<String>| match cursor {
        None => Ok(None),
        Some(id) => {
            let found = items.iter().position(|(item, _)| item == id);
            found.map(Some).ok_or_else(|| bad_request("the cursor names nothing in this list"))
        }
    };
    let (after, before) = match (position(&page.after), position(&page.before)) {
        (Ok(after), Ok(before)) => (after, before),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal,
    };
    let limit = page.limit.min(state.switches().page_cap);
    let (start, end) = match (after, before) {
        (_, Some(before)) => (before.saturating_sub(limit), before),
        (Some(after), None) => (after + 1, after + 1 + limit),
        (None, None) => (0, limit),
    };
    let end = end.min(items.len());
    let mut links = json!({ "self": { "href": here(call, page.place, &[]) } });
    match state.switches().last_page {
        LastPage::Absent => {}
        LastPage::Null => links["next"] = Value::Null,
        LastPage::Empty => links["next"] = json!({ "href": "" }),
    }
    if end < items.len()
        && let Some((last, _)) = end.checked_sub(1).and_then(|last| items.get(last))
    {
        let href = here(call, page.place, &[(page.next_name, last)]);
        let href = if state.switches().hostile_next { hostile(&href) } else { href };
        links["next"] = json!({ "href": href });
    }
    if start > 0
        && !page.before_name.is_empty()
        && let Some((first, _)) = items.get(start)
    {
        links["prev"] = json!({ "href": here(call, page.place, &[(page.before_name, first)]) });
    }
    let total = items.len();
    let data: Vec<Value> = items.into_iter().take(end).skip(start).map(|(_, value)| value).collect();
    let mut body = json!({ "data": data, "links": links });
    if page.total {
        body["totalResults"] = json!(total);
    }
    Reply::json(200, &body)
}

/// Puts the items in the order that `sort` names: one field or several, `-` for backwards. Ties stay as they were.
pub(super) fn order<T>(
    items: &mut [T],
    sort: &str,
    fields: &[&str],
    value: impl Fn(&T, &str) -> Vec<String>,
) -> Result<(), Reply> {
    let parts: Vec<&str> = sort.split(',').collect();
    for part in parts.into_iter().rev() {
        let (field, backwards) = match part.strip_prefix('-') {
            Some(field) => (field, true),
            // A plus sign that was not percent-encoded arrives as a space.
            None => (part.trim_start_matches(['+', ' ']), false),
        };
        if !fields.contains(&field) {
            return Err(bad_request("sort: a field that this list cannot be sorted by"));
        }
        let key = |item: &T| value(item, field).concat().to_lowercase();
        if backwards {
            items.sort_by_cached_key(|item| std::cmp::Reverse(key(item)));
        } else {
            items.sort_by_cached_key(key);
        }
    }
    Ok(())
}

/// The same list, from another place in it.
fn here(call: &Call<'_>, place: Option<&str>, cursor: &[(&str, &str)]) -> String {
    let old = ["next", "prev", "startingAfter", "endingBefore", "page"];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query().filter(|(name, _)| cursor.is_empty() || !old.contains(&name.as_str())) {
        query.append_pair(&name, &value);
    }
    query.extend_pairs(cursor);
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    let place = place.map_or_else(|| format!("https://{}{}", call.host, call.path), str::to_owned);
    format!("{place}{mark}{query}")
}

/// The documents show links with other hosts and plain `http`: whoever sends a token there has lost it.
fn hostile(href: &str) -> String {
    let path = href.strip_prefix("https://").and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    format!("http://collector.example{}", path.unwrap_or_default())
}
