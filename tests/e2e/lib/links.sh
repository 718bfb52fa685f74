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
	curl -sf "http://$1/_papers/$2" | jq -r ".layers[${3:-0}].digest"
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

# holds_layers FILE HOST:PORT IMAGE: every blob of the image's manifest is in the archive, byte for byte.
holds_layers() {
	python3 "$LIB/held.py" "$2" "$1=$3"
}

# ---- many at once, since most of the time of a bad link is waiting

launched=

# launch NAME SECONDS COMMAND...: in the background; ended after so many seconds. await: until all have ended; then
# $T/run/NAME.code, .took (whole seconds, up), .out and .err tell how. "imgpack" means the program under test.
launch() {
	launch_name=$1 launch_most=$2
	shift 2
	[ "$1" != imgpack ] || { shift; set -- "$IMGPACK" "$@"; }
	mkdir -p "$T/run"
	{
		launch_start=$(date +%s%N)
		timeout -k 2 "$launch_most" "$@" >"$T/run/$launch_name.out" 2>"$T/run/$launch_name.err" </dev/null
		echo "$?" >"$T/run/$launch_name.code"
		echo $((($(date +%s%N) - launch_start + 999999999) / 1000000000)) >"$T/run/$launch_name.took"
	} &
	launched="$launched $!"
}

await() {
	for await_pid in $launched; do
		wait "$await_pid"
	done
	launched=
}

# ended NAME CODE...: it ended by itself with one of these codes. $T/out and $T/err are its output then, $took its time.
ended() {
	ended_name=$1
	shift
	cp "$T/run/$ended_name.out" "$T/out"
	cp "$T/run/$ended_name.err" "$T/err"
	ended_code=$(cat "$T/run/$ended_name.code")
	took=$(cat "$T/run/$ended_name.took")
	for ended_want in "$@"; do
		[ "$ended_code" != "$ended_want" ] || return 0
	done
	printf '%s: exit %s after %s s, want %s\n' "$ended_name" "$ended_code" "$took" "$*" >&2
	return 1
}

# complain TEXT: something does not hold; the script goes on, so that one run tells all. verdict TEXT: fails if there was any.
complain() {
	printf '%s\n' "$*" >>"$T/complaints"
}
verdict() {
	[ -s "$T/complaints" ] || return 0
	cat "$T/complaints" >&2
	rm -f "$T/complaints"
	fail "$1"
}

# judge NAME CODE...: NAME (launched with -o NAME.tar in $T, of the image NAME) ended so, or a complaint; a fetch that failed
# left no archive. judged HOST:PORT: the archives of those that ended with 0 hold what they must. $finished counts them.
to_judge= finished=0
judge() {
	judge_name=$1
	shift
	ended "$judge_name" "$@" 2>>"$T/complaints" || tail -n 1 "$T/err" >>"$T/complaints"
	if [ "$(cat "$T/run/$judge_name.code")" = 0 ]; then
		to_judge="$to_judge $T/$judge_name.tar=$judge_name"
		finished=$((finished + 1))
	elif [ -e "$T/$judge_name.tar" ]; then
		complain "$judge_name: a failed fetch left an archive"
	fi
}
judged() {
	# shellcheck disable=SC2086
	python3 "$LIB/held.py" "$1" $to_judge >>"$T/complaints" 2>&1
	to_judge= finished=0
}
