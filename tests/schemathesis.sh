#!/usr/bin/env bash
# Asks a real server with shipped content whatever its own description allows, and what it does
# not, for a number of seconds (600 when none is given), and fails on any server error.
#
#   tests/schemathesis.sh 30                 as CI does
#   DENGMI=target/release/dengmi tests/schemathesis.sh
#
# Installs schemathesis into a virtual environment that is thrown away, where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${1:-600}"
work="$(mktemp -d)"
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

if ! command -v schemathesis >/dev/null 2>&1 || ! schemathesis --version >/dev/null 2>&1; then
    if ! { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet schemathesis; }; then
        echo "skipped: schemathesis is not there and cannot be installed" >&2
        exit 0
    fi
    PATH="$work/venv/bin:$PATH"
fi
schemathesis --version

if [ -z "${DENGMI:-}" ]; then
    cargo build --quiet --locked -p dengmi-cli
    DENGMI="${CARGO_TARGET_DIR:-target}/debug/dengmi"
fi
dengmi() { "$DENGMI" --data "$work/data" --content . "$@"; }
password="six lanterns in a row"
echo "$password" | dengmi user add boss --role head-office
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
url="http://127.0.0.1:$port"
"$DENGMI" --data "$work/data" --content . serve --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 300); do
    curl --silent --fail --output /dev/null "$url/readyz" && break
    kill -0 "$server" || { cat "$work/log"; exit 1; }
    sleep 0.1
done

key() { python3 -c 'import os, time; t = int(time.time() * 1000); r = bytearray(t.to_bytes(6, "big") + os.urandom(10)); r[6] = r[6] & 15 | 112; r[8] = r[8] & 63 | 128; h = r.hex(); print("-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:])))'; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
post() { # path, body, token
    curl --silent --show-error --fail-with-body -X POST "$url$1" -H "content-type: application/json" \
        -H "idempotency-key: $(key)" ${3:+-H "authorization: Bearer $3"} -d "$2"
}

# Something to be asked about: a group, a member, a run.
boss="$(post /v1/operator-sessions "{\"login\": \"boss\", \"password\": \"$password\"}" | field token)"
manager="$(post /v1/managers '{"branch": "b1"}' "$boss" | field id)"
group="$(post /v1/communities "{\"template\": \"long-term\", \"manager\": \"$manager\"}" "$boss" | field id)"
invite="$(post /v1/invites "{\"community\": \"$group\"}" "$boss" | field invite)"
member="$(post /v1/sessions "{\"invite\": \"$invite\", \"nickname\": \"灯友\", \"consent\": true}" | field token)"
today="$(TZ=Asia/Shanghai date +%F)"
post /v1/runs "{\"branch\": \"b1\", \"quest\": \"habit-7\", \"start\": \"$today\"}" "$boss" >/dev/null

# Half of the time as the head office, half as the member. The event stream does not end, and
# ending the session would end the test.
failed=0
for token in "$boss" "$member"; do
    timeout --signal INT --kill-after 20 "$((seconds / 2 + 15))" \
        schemathesis run "$url/openapi.json" --url "$url" \
        --checks not_a_server_error --phases examples,coverage,fuzzing,stateful \
        --max-examples 100000 --max-time "$((seconds / 2))" --rate-limit 18/s \
        --header "Authorization: Bearer $token" --header "Idempotency-Key: $(key)" \
        --exclude-path /v1/events --exclude-path /v1/sessions/current \
        --request-timeout 20 --no-color || code=$?
    # 124 and 130 are the end of the time.
    case "${code:-0}" in 0 | 124 | 130) ;; *) failed=1 ;; esac
    code=0
    kill -0 "$server" || { echo "the server ended"; cat "$work/log"; exit 1; }
done
if grep -E 'panicked|ERROR' "$work/log"; then failed=1; fi
exit "$failed"
