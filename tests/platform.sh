#!/usr/bin/env bash
# The same campaigns on a second platform: the engine built for 32-bit WebAssembly and run by node
# must come to the digests of the native build. platform.sh [LAST-SEED [TICKS]]
set -euo pipefail
cd "$(dirname "$0")/.."
last=${1:-20} ticks=${2:-200}
rustup target add wasm32-wasip1 >/dev/null 2>&1 || true
# As the tests build it: nothing is built anew for the native side.
cargo build --quiet --locked --workspace --example platform
cargo build --quiet --locked -p dengmi-sim --example platform --target wasm32-wasip1
native=$(mktemp) wasm=$(mktemp)
trap 'rm -f "$native" "$wasm"' EXIT
target/debug/examples/platform 1 "$last" "$ticks" >"$native"
node --no-warnings --input-type=module - "$last" "$ticks" >"$wasm" <<'JS'
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";
const args = ["platform", "1", ...process.argv.slice(2)];
const wasi = new WASI({ version: "preview1", args, env: {} });
const bytes = await readFile("target/wasm32-wasip1/debug/examples/platform.wasm");
const module = await WebAssembly.compile(bytes);
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
JS
if ! diff "$native" "$wasm"; then
    echo "the two platforms differ: the first lines above are native, those below wasm32" >&2
    exit 1
fi
echo "$last campaigns of $ticks batches: native and wasm32 agree, $(tail -1 "$native")"
