# SPDX-License-Identifier: Apache-2.0
# Sourced by every script of tests/e2e, tests/fault and tests/bench (POSIX sh). Gives a folder ($T) that goes away at the
# end, servers on free loopback ports that are stopped by their pids, and words to state what must hold.
#
#     . "$(dirname "$0")/../e2e/lib/common.sh"
#     need docker-registry
#     start_registry src                         # $src is its HOST:PORT now, $T/src.log its access log
#     push_images "$src" app multi               # fixtures/image
#     exits 0 imgpack fetch "$src/test/app:1" -o "$T/app.tar"
#     check "the archive stands there" test -f "$T/app.tar"
#
# Names that these functions use for themselves begin with the function's own word. A script that ends without `fail` has passed; 77 says that something it needs is not here. With KEEP=1 the folder stays.

set -u
umask 022
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
SOURCE_DIR=${SOURCE_DIR:-$(CDPATH='' cd "$here/../.." && pwd)}
BUILD_DIR=${BUILD_DIR:-$SOURCE_DIR/build}
IMGPACK=${IMGPACK:-$BUILD_DIR/imgpack}
LIB=$SOURCE_DIR/tests/e2e/lib
SERVERS=$SOURCE_DIR/tests/servers

T=$(mktemp -d "${TMPDIR:-/tmp}/imgpack-test.XXXXXX") || exit 1
mkdir "$T/home"
# The user's own settings and proxies must not decide what a test sees.
export HOME="$T/home" DOCKER_CONFIG="$T/home/.docker" LC_ALL=C.UTF-8
# No file of settings: IMGPACK_CONFIG is empty.
export IMGPACK_CONFIG=
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY DOCKER_HOST REGISTRY_AUTH_FILE
unset CONTAINER_HOST CONTAINERD_ADDRESS CONTAINERD_NAMESPACE
: >"$T/pids"
: >"$T/mounts"

# ---- the end of a script

# Ends a process that this script started: politely, then not.
stop_pid() {
	kill "$1" 2>/dev/null || return 0
	stop_tries=0
	while kill -0 "$1" 2>/dev/null; do
		stop_tries=$((stop_tries + 1))
		[ "$stop_tries" -lt 150 ] || { kill -9 "$1" 2>/dev/null; break; }
		sleep 0.1
	done
	wait "$1" 2>/dev/null
	return 0
}

cleanup() {
	end_status=$?
	trap - EXIT INT TERM HUP
	# A caller's set -e would end here at the first process that was stopped, and leave the others.
	set +e
	# Last started, first stopped: a front goes before what stands behind it.
	for end_pid in $(sort -rn -k1,1 "$T/pids" | cut -d' ' -f2); do
		stop_pid "$end_pid"
	done
	# Whatever a daemon or a test left mounted under $T would be deleted with it, or stop the deletion.
	for end_place in $(awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/mounts | sort -r); do
		umount -l "$end_place" 2>/dev/null
	done
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $T" >&2
	else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	exit "$end_status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- what must hold

# The line of the running script that says TEXT.
line_of() {
	grep -n -m 1 -F -- "$1" "$0" | cut -d: -f1
}

# fail TEXT: says where, shows what the last command and the servers said, ends the script.
fail() {
	{
		echo "FAIL $(basename "$0"):$(line_of "$1"): $1"
		for fail_log in "$T/out" "$T/err" "$T"/*.log; do
			[ -s "$fail_log" ] || continue
			echo "--- the end of $(basename "$fail_log")"
			tail -n 15 "$fail_log" | cut -c1-300
		done
	} >&2
	exit 1
}

skip() {
	echo "SKIP $(basename "$0"): $1" >&2
	exit 77
}

# need TOOL...: skips the script where a tool is missing.
need() {
	for need_tool in "$@"; do
		command -v "$need_tool" >/dev/null 2>&1 || skip "$need_tool is not here"
	done
}

step() {
	echo "== $*"
}

# check TEXT COMMAND...: the command must succeed.
check() {
	check_text=$1
	shift
	"$@" >"$T/check.log" 2>&1 || fail "$check_text"
	rm -f "$T/check.log"
}

# refuse TEXT COMMAND...: the command must fail.
refuse() {
	check_text=$1
	shift
	if "$@" >"$T/check.log" 2>&1; then
		fail "$check_text"
	fi
	rm -f "$T/check.log"
}

# same TEXT HAVE WANT
same() {
	[ "$2" = "$3" ] || {
		printf 'have: %s\nwant: %s\n' "$2" "$3" >&2
		fail "$1"
	}
}

# exits CODE COMMAND...: standard output goes to $T/out, standard error to $T/err; "imgpack" means the program under test.
exits() {
	exits_want=$1
	shift
	[ "$1" != imgpack ] || { shift; set -- "$IMGPACK" "$@"; }
	"$@" >"$T/out" 2>"$T/err"
	exits_have=$?
	[ "$exits_have" -eq "$exits_want" ] || {
		printf 'command: %s\nexit: %s, want %s\n' "$*" "$exits_have" "$exits_want" >&2
		fail "exits $exits_want"
	}
}

# says WORDS / says_not WORDS: the last command's standard error. prints WORDS: its standard output.
says() {
	grep -qiF -- "$1" "$T/err" || fail "says \"$1\""
}
says_not() {
	! grep -qiF -- "$1" "$T/err" || fail "says_not \"$1\""
}
prints() {
	grep -qF -- "$1" "$T/out" || fail "prints \"$1\""
}

sha() {
	sha256sum "$1" | cut -d' ' -f1
}

# ---- servers

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# spawn NAME COMMAND...: in the background, output to $T/NAME.log; the pid is $spawned and is ended with the script.
spawn() {
	spawn_name=$1
	shift
	"$@" >"$T/$spawn_name.log" 2>&1 </dev/null &
	spawned=$!
	echo "$(wc -l <"$T/pids") $spawned" >>"$T/pids"
}

# wait_for SECONDS COMMAND...: until it succeeds, or $spawned is gone, or time is over.
wait_for() {
	wait_left=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		kill -0 "$spawned" 2>/dev/null || return 1
		wait_left=$((wait_left - 1))
		[ "$wait_left" -gt 0 ] || return 1
		sleep 0.1
	done
}

# Any HTTP answer will do: a registry that wants a password answers 401.
answers() {
	curl -s -o /dev/null --max-time 5 "$@"
}

# start_registry NAME [WORD...]: docker-registry; $NAME is its HOST:PORT, $T/NAME.log its access log, $T/NAME its storage.
# Words: htpasswd (user "tester", password "s3cret"), readonly, tls (CA: $T/ca.pem; the
# host is registry.localhost, which libcurl takes for this machine).
start_registry() {
	registry_name=$1
	shift
	for registry_try in 1 2 3; do
		registry_port=$(free_port)
		registry_config "$registry_name" "$registry_port" "$@" >"$T/$registry_name.yml"
		spawn "$registry_name" docker-registry serve "$T/$registry_name.yml"
		registry_scheme=http registry_host=127.0.0.1
		case " $* " in *" tls "*) registry_scheme=https registry_host=registry.localhost ;; esac
		if wait_for 20 answers -k "$registry_scheme://127.0.0.1:$registry_port/v2/"; then
			eval "$registry_name=\$registry_host:\$registry_port ${registry_name}_pid=\$spawned"
			return 0
		fi
	done
	fail "start_registry: no answer after $registry_try tries"
}

registry_config() {
	cat <<END
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $T/$1}
  delete: {enabled: true}
END
	case " $* " in *" readonly "*) echo "  maintenance: {readonly: {enabled: true}}" ;; esac
	echo "http:"
	echo "  addr: 127.0.0.1:$2"
	case " $* " in
	*" tls "*)
		[ -f "$T/ca.pem" ] || make_certificates >&2
		echo "  tls: {certificate: $T/server.pem, key: $T/server.key}"
		;;
	esac
	case " $* " in
	*" htpasswd "*)
		htpasswd -nbB tester s3cret >"$T/htpasswd" 2>/dev/null
		echo "auth: {htpasswd: {realm: test, path: $T/htpasswd}}"
		;;
	esac
}

# $T/ca.pem signs $T/server.pem, which is good for registry.localhost and 127.0.0.1.
make_certificates() {
	{
		openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj "/CN=imgpack test CA" -keyout "$T/ca.key" \
			-out "$T/ca.pem"
		openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$T/server.key" -out "$T/server.csr"
		printf 'subjectAltName=DNS:registry.localhost,DNS:localhost,IP:127.0.0.1\n' >"$T/server.ext"
		openssl x509 -req -in "$T/server.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 3 \
			-extfile "$T/server.ext" -out "$T/server.pem"
	} >/dev/null 2>&1 || fail "make_certificates: openssl failed"
}

# access_log NAME: the requests that a registry answered, one a line: METHOD PATH STATUS.
access_log() {
	sed -n 's/.*"\([A-Z][A-Z]*\) \([^ ]*\) HTTP\/[0-9.]*" \([0-9]*\) .*/\1 \2 \3/p' "$T/$1.log"
}

# forget_log NAME: what was asked until now does not count.
forget_log() {
	: >"$T/$1.log"
}

# start_tokens NAME HOST:PORT [OPTION...]: servers/tokens.py in front of a registry; $NAME is what a client asks, $T/NAME.diary
# what it and its token service were asked, one JSON object a line.
start_tokens() {
	tokens_name=$1 tokens_registry=$2
	shift 2
	rm -f "$T/$tokens_name.log"
	spawn "$tokens_name" python3 -u "$SERVERS/tokens.py" --registry "$tokens_registry" --diary "$T/$tokens_name.diary" "$@"
	wait_for 20 grep -q '"front"' "$T/$tokens_name.log" || fail "start_tokens: no answer"
	eval "$tokens_name=127.0.0.1:\$(jq -r .front <\"\$T/\$tokens_name.log\") ${tokens_name}_pid=\$spawned"
}

# start_serve NAME WORD...: `imgpack serve WORD...` on a free port of 127.0.0.1; $NAME is its HOST:PORT, $T/NAME.log what it
# says: with -v its access log, too.
start_serve() {
	serve_name=$1
	shift
	rm -f "$T/$serve_name.log"
	spawn "$serve_name" "$IMGPACK" serve --listen 127.0.0.1:0 "$@"
	wait_for 60 grep -q '^serving http' "$T/$serve_name.log" || fail "start_serve: it does not serve"
	eval "$serve_name=\$(sed -n 's|^serving https*://\([^/]*\)/.*|\1|p' "\$T/\$serve_name.log")" \
		"${serve_name}_pid=\$spawned"
}

# make_images: fixtures/image into $T/image, once a script.
make_images() {
	[ -d "$T/image" ] || check "make the fixture image" sh "$SOURCE_DIR/fixtures/image/make.sh" "$T/image"
}

# start_slow NAME HOST:PORT BYTES: a front that lets BYTES a second pass, all connections together.
start_slow() {
	slow_name=$1
	slow_port=$(free_port)
	spawn "$slow_name" python3 "$SERVERS/slow.py" "$slow_port" "$2" "$3"
	wait_for 20 answers "http://127.0.0.1:$slow_port/v2/" || fail "start_slow: no answer"
	eval "$slow_name=127.0.0.1:\$slow_port ${slow_name}_pid=\$spawned"
}

# start_dockerd NAME [containerd]: a docker daemon of our own; $NAME is its DOCKER_HOST. 1 if it cannot run here.
start_dockerd() {
	daemon_name=$1
	command -v dockerd >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ] || return 1
	daemon_features=false daemon_driver='"storage-driver": "vfs",'
	[ "${2:-}" != containerd ] || daemon_features=true daemon_driver=
	mkdir -p "$T/$daemon_name"
	printf '{%s "features": {"containerd-snapshotter": %s}}\n' "$daemon_driver" "$daemon_features" >"$T/$daemon_name/daemon.json"
	spawn "$daemon_name" dockerd --config-file "$T/$daemon_name/daemon.json" --data-root "$T/$daemon_name/data" \
		--exec-root "$T/$daemon_name/exec" -H "unix://$T/$daemon_name/s" -p "$T/$daemon_name/pid" \
		--iptables=false --ip6tables=false --bridge=none
	wait_for 60 curl -sf --unix-socket "$T/$daemon_name/s" http://d/_ping || return 1
	if [ "${2:-}" = containerd ]; then
		curl -s --unix-socket "$T/$daemon_name/s" http://d/info | grep -q io.containerd.snapshotter || {
			stop_pid "$spawned"
			return 1
		}
	fi
	eval "$daemon_name=unix://\$T/\$daemon_name/s ${daemon_name}_pid=\$spawned"
}

# start_containerd NAME: a containerd of our own, without the kubelet's plugin; $NAME is its socket. 1 if it cannot run here.
start_containerd() {
	containerd_name=$1
	command -v containerd >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ] || return 1
	mkdir -p "$T/$containerd_name"
	cat >"$T/$containerd_name/config.toml" <<-END
		version = 2
		root = "$T/$containerd_name/root"
		state = "$T/$containerd_name/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$T/$containerd_name/s"
	END
	spawn "$containerd_name" containerd -c "$T/$containerd_name/config.toml"
	wait_for 60 ctr --address "$T/$containerd_name/s" version || return 1
	eval "$containerd_name=\$T/\$containerd_name/s ${containerd_name}_pid=\$spawned"
}

# podman_at NAME WORD...: podman itself over the storage of start_podman NAME.
podman_at() {
	podman_name=$1
	shift
	env -u CONTAINER_HOST podman --root "$T/$podman_name/root" --runroot "$T/$podman_name/run" --storage-driver vfs \
		--cgroup-manager cgroupfs --events-backend file "$@"
}

# start_podman NAME: podman's service over a storage of its own; $NAME is its CONTAINER_HOST. 1 if it cannot run here.
start_podman() {
	podman_name=$1
	command -v podman >/dev/null 2>&1 || return 1
	mkdir -p "$T/$podman_name"
	spawn "$podman_name" env -u CONTAINER_HOST podman --root "$T/$podman_name/root" --runroot "$T/$podman_name/run" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend file system service -t 0 "unix://$T/$podman_name/s"
	wait_for 60 curl -sf --unix-socket "$T/$podman_name/s" http://d/_ping || return 1
	eval "$podman_name=unix://\$T/\$podman_name/s ${podman_name}_pid=\$spawned"
}

# ---- images

# push_images HOST NAME...: makes fixtures/image once a script and pushes the named images as HOST/test/NAME:1.
push_images() {
	make_images
	push_host=$1
	shift
	check "push the fixture images" python3 "$SOURCE_DIR/fixtures/image/image.py" push "$T/image" "$push_host" "$@"
}

# image_digest NAME: what the registry's tag of a fixture image points at.
image_digest() {
	jq -r --arg n "$1" '.[$n].digest' "$T/image/images.json"
}

# registry_digest HOST/REPOSITORY:TAG: what a registry serves under it now.
ACCEPT='application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json,'
ACCEPT="$ACCEPT application/vnd.docker.distribution.manifest.list.v2+json"
ACCEPT="$ACCEPT, application/vnd.docker.distribution.manifest.v2+json"
registry_manifest() {
	manifest_path=${1#*/}
	case $manifest_path in
	*@*) curl -sf -H "Accept: $ACCEPT" "http://${1%%/*}/v2/${manifest_path%@*}/manifests/${manifest_path#*@}" ;;
	*) curl -sf -H "Accept: $ACCEPT" "http://${1%%/*}/v2/${manifest_path%:*}/manifests/${manifest_path##*:}" ;;
	esac
}
registry_digest() {
	registry_manifest "$1" >"$T/manifest.tmp" || return 1
	echo "sha256:$(sha "$T/manifest.tmp")"
}

# Traced programs cannot look for leaks (both want ptrace); everything else of a sanitizer stays on.
untraced_leaks() {
	env "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" "$@"
}

# archive WORD FILE ...: lib/archive.py, which knows the archive's format from the outside.
archive() {
	python3 "$LIB/archive.py" "$@"
}

# child_digest NAME OS/ARCH[/VARIANT]: a platform's manifest in a fixture index.
child_digest() {
	jq -r --arg p "$2" '.manifests[] | select((.platform | [.os, .architecture, .variant // empty] | join("/")) == $p)
		| .digest' "$T/image/blobs/$(image_digest "$1" | cut -d: -f2)"
}

# blobs_of DIGEST: the digests of a fixture manifest's config and layers, each once.
blobs_of() {
	jq -r '[.config.digest, .layers[].digest] | unique[]' "$T/image/blobs/${1#sha256:}"
}

# arrived HOST/PREFIX NAME: HOST/PREFIX/test/NAME:1 is the fixture image: manifest, and every child and blob of it, byte for byte.
arrived() {
	same "digest at the target" "$(registry_digest "$1/test/$2:1")" "$(image_digest "$2")"
	for arrived_manifest in $(image_digest "$2") $(jq -r --arg n "$2" '.[$n].children[].digest' "$T/image/images.json"); do
		registry_manifest "$1/test/$2@$arrived_manifest" | cmp - "$T/image/blobs/${arrived_manifest#*:}" || fail "a manifest at the target"
		for arrived_blob in $(jq -r '[.config.digest // empty, (.layers // [])[].digest] | unique[]' "$T/image/blobs/${arrived_manifest#*:}"); do
			arrived_path=${1#*/}
			[ "$arrived_path" != "$1" ] && arrived_path=$arrived_path/ || arrived_path=
			curl -sf "http://${1%%/*}/v2/${arrived_path}test/$2/blobs/$arrived_blob" | cmp - "$T/image/blobs/${arrived_blob#*:}" ||
				fail "a blob at the target"
		done
	done
}
