#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: which of our archives load where, tried with every program that is at hand, as a markdown table on standard output.
# A cell is "ok" if `imgpack load` says so and the program itself then shows every image under its name with the right ID and
# digest; else it holds why not. Not for CI: it takes minutes, and what it finds depends on the machine.
#
#     sh tests/matrix.sh [FOLDER...]      FOLDER: another Debian's root, whose programs are tried as well (debootstrap, then
#                                         apt-get install docker.io docker-cli podman containerd skopeo docker-registry)
#     ONLY="podman ctr" sh tests/matrix.sh    only some of docker, docker-ctrd, podman, ctr, skopeo, registry
#
# Needs root. Programs in FOLDER run in a chroot that sees this script's folder under the same path.
. "$(dirname "$0")/e2e/lib/common.sh"
need docker-registry jq curl python3
[ "$(id -u)" -eq 0 ] || skip "not root"
cd "$T" || exit 1
start_registry src
push_images "$src"
# The cells are what is asked for; what a cell's program says beside it is not.
exec 3>&1 1>matrix.log
mkdir bin cells

# ---- the archives, and what each must become: NAME, the digest that NAME has, this platform's manifest, the config

row() {
	row_archive=$1 row_name=$2 row_root=$3 row_manifest=${4:-$3}
	echo "$src/test/$row_name $row_root $row_manifest $(jq -r .config.digest "image/blobs/${row_manifest#sha256:}")" \
		>>"$row_archive.want"
}
one() {
	row "$1" "$2:1" "$(image_digest "$2")"
}
get() {
	get_archive=$1
	shift
	archives="$archives $get_archive"
	"$IMGPACK" fetch "$@" -q -o "$get_archive.tar" 2>get.err || fail "fetch"
}
archives=
curl -sf -o second "http://$src/v2/test/app/manifests/1" -H "Accept: $ACCEPT"
curl -sf -X PUT --data-binary @second -H "Content-Type: $(jq -r .mediaType second)" "http://$src/v2/test/app/manifests/two"
amd64=$(child_digest multi linux/amd64)
get single "$src/test/app:1" --platform linux/amd64
one single app
get several "$src/test/app:1" "$src/test/app-docker:1" "$src/test/app2:1" "$src/test/plain:1" --platform linux/amd64
for image in app app-docker app2 plain; do
	one several "$image"
done
get tags "$src/test/app:1" "$src/test/app:two" --platform linux/amd64
one tags app
row tags app:two "$(image_digest app)"
get digest "$src/test/app@$(image_digest app)" --platform linux/amd64
row digest "app@$(image_digest app)" "$(image_digest app)"
get one-of-index "$src/test/multi:1" --platform linux/amd64
row one-of-index multi:1 "$amd64"
get all-platforms "$src/test/multi-docker:1" --all-platforms
row all-platforms multi-docker:1 "$(image_digest multi-docker)" "$(child_digest multi-docker linux/amd64)"
get attestations "$src/test/multi:1" --all-platforms
row attestations multi:1 "$(image_digest multi)" "$amd64"
get zstd "$src/test/zstd:1" --platform linux/amd64
one zstd zstd
# Loaded where its base is: its cell loads `single` first.
get full "$src/test/app2:1" --platform linux/amd64
archives="${archives% full} thin"
check "make the thin archive" python3 "$LIB/thin.py" full.tar single.tar thin.tar
one thin app2

# ---- the consumers: a line each, "WORD LABEL WHERE ROOT", by what starts here

in_root() {
	if [ "$1" = / ]; then
		shift
		"$@"
	else
		chroot "$@"
	fi
}
has() {
	in_root "$1" sh -c "command -v $2" >/dev/null 2>&1
}
# Is this kind of consumer asked for?
asked() {
	[ -n "${ONLY:-}" ] || return 0
	for asked_word in $ONLY; do
		[ "$asked_word" != "$1" ] || return 0
	done
	return 1
}
add() {
	echo "$@" >>consumers
}
version() {
	in_root "$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1
}

start_docker() {
	docker_root=$1 docker_name=$2 docker_store=$3
	mkdir -p "$docker_name"
	if [ "$docker_store" = ctrd ]; then
		echo '{"features": {"containerd-snapshotter": true}}' >"$docker_name/daemon.json"
	else
		echo '{"storage-driver": "vfs", "features": {"containerd-snapshotter": false}}' >"$docker_name/daemon.json"
	fi
	spawn "$docker_name" in_root "$docker_root" dockerd --config-file "$T/$docker_name/daemon.json" \
		--data-root "$T/$docker_name/data" --exec-root "$T/$docker_name/exec" -H "unix://$T/$docker_name/s" \
		-p "$T/$docker_name/pid" --iptables=false --ip6tables=false --bridge=none
	wait_for 90 curl -sf --unix-socket "$docker_name/s" http://d/_ping || return 1
	echo "$(wc -l <pids) $(cat "$docker_name/pid")" >>pids
	[ "$docker_store" = classic ] || curl -s --unix-socket "$docker_name/s" http://d/info | grep -q io.containerd.snapshotter
}

start_node() {
	node_root=$1 node_name=$2
	mkdir -p "$node_name" "bin/$node_name"
	cat >"$node_name/config.toml" <<-END
		version = 2
		root = "$T/$node_name/root"
		state = "$T/$node_name/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$T/$node_name/s"
	END
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$([ "$node_root" = / ] || echo "chroot $node_root")" \
		"$(in_root "$node_root" sh -c 'command -v ctr')" >"bin/$node_name/ctr"
	chmod 755 "bin/$node_name/ctr"
	spawn "$node_name" in_root "$node_root" containerd -c "$T/$node_name/config.toml"
	wait_for 60 "bin/$node_name/ctr" --address "$T/$node_name/s" version
}

start_pod() {
	pod_root=$1 pod_name=$2
	mkdir -p "$pod_name"
	spawn "$pod_name" in_root "$pod_root" podman --root "$T/$pod_name/root" --runroot "$T/$pod_name/run" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend file system service -t 0 "unix://$T/$pod_name/s"
	wait_for 60 curl -sf --unix-socket "$pod_name/s" http://d/_ping
}

# Everything of one root, numbered so that names differ.
begin_root() {
	root=$1 n=$2
	if has "$root" dockerd; then
		v=$(version "$root" dockerd --version)
		if asked docker && start_docker "$root" "dc$n" classic; then add docker "docker $v" "dc$n" "$root"; fi
		if asked docker-ctrd && start_docker "$root" "ds$n" ctrd; then add docker-ctrd "docker $v (containerd store)" "ds$n" "$root"; fi
	fi
	if asked podman && has "$root" podman && start_pod "$root" "pod$n"; then
		add podman "podman $(version "$root" podman --version)" "pod$n" "$root"
	fi
	if asked ctr && has "$root" containerd && has "$root" ctr && start_node "$root" "node$n"; then
		add ctr "containerd $(version "$root" containerd --version)" "node$n" "$root"
	fi
	if asked skopeo && has "$root" skopeo; then
		add skopeo "OCI folder, skopeo $(version "$root" skopeo --version)" "oci$n" "$root"
	fi
}

n=0
for root in / "$@"; do
	n=$((n + 1))
	if [ "$root" != / ]; then
		for place in proc sys dev; do
			mountpoint -q "$root/$place" || mount --rbind "/$place" "$root/$place" || fail "mount"
		done
		mkdir -p "$root$T" && mount --bind "$T" "$root$T" || fail "mount --bind"
		binds="${binds:-} $root$T"
	fi
	begin_root "$root" "$n"
done
start_registry dst && asked registry && add registry "docker-registry $(version / docker-registry --version)" dst /
# A bind mount would be deleted with the folder under it.
unbind() {
	for bind in ${binds:-}; do
		umount -l "$bind" && rmdir "$bind"
	done
}
trap 'unbind; cleanup' EXIT

# ---- a cell

api() {
	curl -sf --unix-socket "$1/s" "http://d/$2"
}

# Nothing of an earlier cell is there.
empty() {
	case $1 in
	docker | docker-ctrd | podman)
		api "$2" "images/json?all=1" | jq -r '.[] | (.RepoTags // [])[], .Id' | while read -r id; do
			curl -s -X DELETE --unix-socket "$2/s" "http://d/images/$id?force=1"
		done
		;;
	ctr)
		"bin/$2/ctr" --address "$T/$2/s" -n k8s.io images ls -q | xargs -r "bin/$2/ctr" --address "$T/$2/s" -n k8s.io images rm --sync
		;;
	skopeo) rm -rf "$2" ;;
	esac
}

# load ARCHIVE WORD WHERE PREFIX: the prefix keeps the registry's cells apart.
load() {
	load_archive=$1 load_word=$2 load_where=$3 load_prefix=$4
	case $load_word in
	docker | docker-ctrd) set -- DOCKER_HOST="unix://$T/$load_where/s" -- docker ;;
	podman) set -- CONTAINER_HOST="unix://$T/$load_where/s" -- podman ;;
	ctr) set -- PATH="$T/bin/$load_where:$PATH" -- "containerd:$T/$load_where/s" ;;
	skopeo) set -- A=b -- "oci:$T/$load_where" ;;
	registry) set -- A=b -- "registry:$dst/$load_prefix" ;;
	esac
	env "$1" "$IMGPACK" load "$load_archive.tar" --to "$3" -q --json >out 2>err
}

# seen WORD WHERE ROOT ARCHIVE NAME DIGEST MANIFEST CONFIG: says what is wrong, nothing if all is right.
seen() {
	case $1 in
	docker | docker-ctrd | podman)
		name=$5
		# docker's classic store knows no names by digest.
		case $1:$5 in docker:*@*) name=$8 ;; esac
		api "$2" "images/$name/json" >image.json || { echo "not there by its name"; return; }
		id=$(jq -r .Id image.json)
		case $1 in
		docker-ctrd) [ "$id" = "$6" ] || echo "ID $id" ;;
		*) [ "sha256:${id#sha256:}" = "$8" ] || echo "ID $id" ;;
		esac
		[ "$1" = docker ] || jq -r '.RepoDigests[]' image.json | grep -q "@$6" || echo "digest lost"
		;;
	ctr)
		"bin/$2/ctr" --address "$T/$2/s" -n k8s.io images ls >list
		repository=${5%@*}
		case $5 in *@*) ;; *) repository=${5%:*} ;; esac
		for name in "$5" "$repository@$6"; do
			[ "$(awk -v n="$name" '$1 == n { print $3 }' list)" = "$6" ] || echo "$name is missing"
		done
		grep -qF "$repository@$7" list || echo "not by its manifest's digest"
		"bin/$2/ctr" --address "$T/$2/s" -n k8s.io images check "name==$5" | grep -q "complete (" || echo "incomplete"
		;;
	skopeo)
		short=$(jq -r --arg n "$5" '.images[] | select(.name == $n) | .loaded_as' out)
		in_root "$3" skopeo inspect --raw "oci:$T/$2:${short#oci:"$T/$2:"}" >raw || { echo "skopeo does not find it"; return; }
		[ "sha256:$(sha raw)" = "$6" ] || echo "digest lost"
		;;
	registry)
		[ "$(registry_digest "$dst/$4/${5#*/}")" = "$6" ] || echo "digest lost"
		;;
	esac
}

cell() {
	cell_archive=$1
	shift
	empty "$1" "$2" >/dev/null 2>&1
	[ "$cell_archive" != thin ] || load single "$1" "$2" thin || { echo "base: $(tail -n 1 err)"; return; }
	load "$cell_archive" "$1" "$2" "$cell_archive" || { echo "no: $(tail -n 1 err | sed 's/^imgpack: //' | rev | cut -d: -f1-2 | rev)"; return; }
	while read -r name digest manifest config; do
		seen "$1" "$2" "$3" "$cell_archive" "$name" "$digest" "$manifest" "$config"
	done <"$cell_archive.want" >wrong 2>/dev/null
	if [ -s wrong ]; then
		paste -s -d ';' wrong
	else
		echo ok
	fi
}

# ---- the table: a row an archive, a column a consumer

[ -s consumers ] || skip "no consumer can run here"
{
	printf '| archive |'
	while read -r _ rest; do
		printf ' %s |' "${rest% * *}"
	done <consumers
	printf '\n|---|'
	sed 's/.*/---|/' consumers | tr -d '\n'
	echo
} >&3
for archive in $archives; do
	printf '| %s |' "$archive" >&3
	while read -r line; do
		label_where=${line% *}
		cell "$archive" "${line%% *}" "${label_where##* }" "${line##* }" >cell </dev/null 2>>matrix.log
		printf ' %s |' "$(tr '|\n' '/ ' <cell | sed 's/ *$//')" >&3
	done <consumers
	echo >&3
done
