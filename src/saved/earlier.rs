//! What earlier programs wrote otherwise than this one does, as this one reads it.

use serde_json::{Value, json};

/// A saved plan whose actions at Imburse may stand apart, under `imburse`, as they first did.
pub(super) fn plan(mut value: Value) -> Value {
    let objects = value.get_mut("objects").and_then(Value::as_array_mut);
    for object in objects.into_iter().flatten() {
        for slot in object.get_mut("actions").and_then(Value::as_array_mut).into_iter().flatten() {
            action(slot);
        }
    }
    value
}

fn action(value: &mut Value) {
    if let Some(own) = value.get_mut("imburse").map(Value::take) {
        *value = own;
        if let Some(shape) = value.pointer_mut("/keep/key/shape") {
            *shape = json!({ "imburse": shape.take() });
        }
    }
    // What is kept beside a drift of the payload's shape.
    if let Some(kept) = value.pointer_mut("/drift/kept").filter(|kept| kept.is_object()) {
        action(kept);
    }
}
