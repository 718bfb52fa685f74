#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a call that fails (strace makes it), each of its occurrences in turn, never becomes a false success: the archive under
# the final name is complete or is not there, an older one is untouched, the exit code says it, and the next run is right.
#     MOST=12 sh tests/fault/inject.sh     more occurrences of each call; sweep_files.sh takes all by another way
# timeout: 900
# sanitize: no (strace and a sanitizer together take minutes)
. "$(dirname "$0")/../e2e/lib/common.sh"
need docker-registry strace jq
start_registry src
push_images "$src" app
cd "$T" || exit 1
mkdir out.d
exits 0 imgpack fetch "$src/test/app:1" -o good.tar --platform linux/amd64
want=$(sha good.tar)
strace -V >/dev/null 2>&1 && untraced_leaks strace -qq -o calls -e inject=getppid:error=EIO true >/dev/null 2>&1 ||
	skip "strace cannot inject faults here"
swept=0 MOST=${MOST:-4}

# once CALL ERROR N: fetch with the Nth CALL on the archive's file failing. 1 when there is no Nth one any more.
once() {
	rm -f out.d/*
	[ "$4" = fresh ] || echo old >out.d/a.tar
	untraced_leaks strace -f -qq -o calls -e trace="$1" -e inject="$1:error=$2:when=$3" \
		"$IMGPACK" fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64 --connections 1 >out 2>err
	code=$?
	grep -q INJECTED calls || return 1
	swept=$((swept + 1))
	case $code in
	0)
		# Only a call that did not matter may fail without a word: the archive must be right.
		same "$1 $2 #$3: exit 0 with a wrong archive" "$(sha out.d/a.tar)" "$want"
		;;
	6 | 3 | 1)
		if [ -e out.d/a.tar ]; then
			case $(sha out.d/a.tar) in
			"$want" | "$(echo old | sha256sum | cut -d' ' -f1)") ;;
			*) fail "$1 $2 #$3: something broken stands under the final name" ;;
			esac
			# After a failed fsync or rename of the file itself the old one must stand there.
			case $1#$3 in fsync#1 | /^rename#1) [ "$4" = fresh ] || same "$1 #$3: the old archive" "$(cat out.d/a.tar)" old ;; esac
		fi
		;;
	127) grep -q 'loading shared libraries' err || fail "$1 $2 #$3: exit 127" ;; # the loader's own calls, before main()
	*) fail "$1 $2 #$3: exit $code" ;;
	esac
	[ -z "$(ls out.d | grep -v -e '^a.tar$' -e '^a.tar.part$' -e '^a.tar.part.journal$')" ] ||
		fail "$1 $2 #$3: something else is left"
	if [ "$code" -ne 0 ]; then
		"$IMGPACK" fetch "$src/test/app:1" -o out.d/a.tar --platform linux/amd64 -q 2>err.next ||
			fail "$1 $2 #$3: the next run fails: $(cat err.next)"
		same "$1 $2 #$3: the next run's archive" "$(sha out.d/a.tar)" "$want"
		same "$1 $2 #$3: what stands there after the next run" "$(ls -A out.d)" a.tar
	fi
	return 0
}

# must_fail CALL ERROR N CODE: this call matters, so its failure must be told.
must_fail() {
	once "$1" "$2" "$3" old || fail "no call of $1 to fail"
	same "$1 with $2 must be told" "$code" "$4"
	says "$5"
}

step "calls that matter"
must_fail pwrite64 ENOSPC 1 6 "space"
must_fail pwrite64 EIO 2 6 "a.tar"
must_fail pwrite64 EDQUOT 3 6 "a.tar"
must_fail fsync EIO 1 6 "a.tar"
must_fail fallocate ENOSPC 1 6 "space"
must_fail '/^rename' EIO 1 6 "a.tar"
# The folder's fsync is the second one: the archive is complete, but nobody may say that it will outlive a power cut.
must_fail fsync EIO 2 6 "a.tar"

step "a sweep over the calls"
for case in "pwrite64 ENOSPC" "pwrite64 EIO" "fsync EIO" "fallocate ENOSPC" "/^rename EACCES" "fchmod EPERM" "close EIO" \
	"openat EMFILE" "openat EACCES" "fstatfs EIO" "connect ENETUNREACH" "socket EMFILE" "recvfrom ECONNRESET" "sendto EPIPE" \
	"clone3 EAGAIN" "getrandom EIO"; do
	call=${case% *} error=${case#* }
	for state in fresh old; do
		n=1
		while [ "$n" -le "$MOST" ] && once "$call" "$error" "$n" "$state"; do
			n=$((n + 1))
		done
	done
done
echo "$swept calls failed, none of them in silence"

step "verify and load when reading fails"
untraced_leaks strace -f -qq -o calls -e trace=pread64 -e inject=pread64:error=EIO:when=20 "$IMGPACK" verify good.tar \
	>out 2>err
code=$?
grep -q INJECTED calls && same "a disk that cannot be read" "$code" 6
