#!/usr/bin/env bash
# cargo-cyclonedx, version 0.5.9, with Cargo 1.95.0, 28 November 2026. The guess: a bill of materials by cargo-cyclonedx lists the crates that are compiled, with the features that are on.
# What happens (cargo-cyclonedx 0.5.9, Cargo 1.95.0): where a feature has `b?/y` ("y of b, if b is there"), it lists b although nothing
# turns b on. Cargo locks b for such a feature, `cargo metadata` shows it as resolved, and cargo-cyclonedx takes its word; `cargo tree` and
# the build leave b out. In one program that was 17 of 271 crates, ring and quinn among them, for which a scanner would report vulnerabilities.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tool=${CYCLONEDX:-$work/tools/bin/cargo-cyclonedx}
[[ -x $tool ]] || cargo install --quiet --locked --root "$work/tools" cargo-cyclonedx --version =0.5.9

crate() { # NAME MANIFEST
    mkdir -p "$1/src"
    printf '[package]\nname = "%s"\nversion = "1.0.0"\nedition = "2024"\n%s\n' "$1" "$2" >"$1/Cargo.toml"
    echo 'pub fn nothing() {}' >"$1/src/lib.rs"
}
crate b $'[features]\ny = []'
crate a $'[features]\nx = ["b?/y"]\n[dependencies]\nb = { path = "../b", optional = true }'
crate app $'[dependencies]\na = { path = "../a", features = ["x"] }'
cd app
built=$(cargo build --quiet --message-format json | grep -o '"name":"b"' || true)
"$tool" cyclonedx --quiet --format json --override-filename bom
listed=$(grep -o '"name": "b"' bom.json || true)
echo "compiled: ${built:-b is not}"
echo "listed:   ${listed:-b is not}"
[[ -z $built && -n $listed ]]
