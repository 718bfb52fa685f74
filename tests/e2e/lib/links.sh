# SPDX-License-Identifier: Apache-2.0
# Sourced behind common.sh by the scripts that fetch over bad links: servers/badregistry.py and servers/relay.py, and words to
# ask their diaries. The digest of what a client ended up with is always judged from outside (lib/archive.py), never by imgpack.

# started NAME FIELD: $NAME becomes 127.0.0.1 and the port under FIELD of the line that the server prints.
started() {
	started_name=$1
	wait_for 60 grep -q "\"$2\"" "$T/$1.log" || fail "started: no answer"
	started_port=$(sed -n 1p "$T/$1.log" | jq -r ".$2")
	eval "$started_name=127.0.0.1:\$started_port ${started_name}_pid=\$spawned"
}

# start_bad NAME OPTION...: $NAME is the registry's HOST:PORT, $T/NAME.diary its diary.
start_bad() {
	bad_name=$1
	shift
	spawn "$bad_name" python3 -u "$SERVERS/badregistry.py" --diary "$T/$bad_name.diary" "$@"
	started "$bad_name" registry
}

# start_relay NAME HOST:PORT OPTION...: $NAME is the line's near end.
start_relay() {
	relay_name=$1 relay_to=$2
	shift 2
	spawn "$relay_name" python3 -u "$SERVERS/relay.py" --to "$relay_to" "$@"
	started "$relay_name" port
}

# rules HOST:PORT JSON: from now on; the diary begins anew.
rules() {
	printf '%s' "$2" >"$T/rules.json"
	check "rules" curl -sf -X PUT --data-binary "@$T/rules.json" "http://$1/_rules"
	forget_diary "$1"
}

forget_diary() {
	check "forget_diary" curl -sf -X DELETE "http://$1/_diary"
}

# diary HOST:PORT [FILTER]: the lines that jq's filter picks, one object a line.
diary() {
	curl -sf "http://$1/_diary" | jq -c "select(${2:-true})"
}

# count HOST:PORT FILTER: how many.
count() {
	diary "$1" "$2" | wc -l
}

# sum HOST:PORT FILTER FIELD
sum() {
	diary "$1" "$2" | jq -s "map($3) | add // 0"
}

# layer_of HOST:PORT IMAGE [N]: the digest of an image's Nth layer; the first is 0.
layer_of() {
	curl -sf "http://$1/v2/test/$2/manifests/1" | jq -r ".layers[${3:-0}].digest"
}

# within TEXT SECONDS COMMAND...: the command's exit code in $code and what it took in $took (whole seconds, up); a command
# that takes longer is ended and the script fails.
within() {
	within_text=$1 within_most=$2
	shift 2
	within_start=$(date +%s%N)
	timeout -k 2 "$within_most" "$@" >"$T/out" 2>"$T/err"
	code=$?
	took=$((($(date +%s%N) - within_start + 999999999) / 1000000000))
	[ "$code" -ne 124 ] && [ "$code" -ne 137 ] || fail "$within_text"
}

# holds_layers FILE HOST:PORT IMAGE: the archive is sound, and every layer in it is what the image's manifest says.
holds_layers() {
	archive check "$1" >/dev/null &&
		curl -sf "http://$2/v2/test/$3/manifests/1" | python3 -c '
import hashlib, json, sys, tarfile
paper = json.load(sys.stdin)
with tarfile.open(sys.argv[1]) as tar:
    for blob in [paper["config"], *paper["layers"]]:
        found, file = hashlib.sha256(), tar.extractfile("blobs/" + blob["digest"].replace(":", "/"))
        for piece in iter(lambda: file.read(1 << 20), b""):
            found.update(piece)
        if "sha256:" + found.hexdigest() != blob["digest"]:
            sys.exit("not what was promised: " + blob["digest"])
' "$1"
}
