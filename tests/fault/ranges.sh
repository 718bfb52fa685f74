#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: whatever a server answers to a Range, however wrong its lengths, its encodings and its redirects are, no wrong byte gets
# into an archive; and wherever the blob can be had at all, the fetch finishes.
# timeout: 300
. "$(dirname "$0")/../e2e/lib/common.sh"
. "$LIB/links.sh"
need jq curl zstd
cd "$T" || exit 1

# serve SIZE FORM=DO...: a registry with an image a form, whose layer is served as DO (without braces) says.
serve() {
	serve_size=$1
	shift
	serve_images=
	for serve_case in "$@"; do
		serve_images="$serve_images --image ${serve_case%%=*}=$serve_size"
	done
	# shellcheck disable=SC2086
	start_bad bad --seed 4 $serve_images
	serve_rules=
	for serve_case in "$@"; do
		serve_rules="$serve_rules,{\"path\":\"^/v2/test/${serve_case%%=*}/\",\"kind\":\"layer\",${serve_case#*=}}"
	done
	rules "$bad" "[${serve_rules#,}]"
}

step "16 answers to a Range"
serve 20M ignore='"do":{"range":"ignore"}' ignore-chunked='"do":{"range":"ignore-chunked"}' \
	wrong-start='"do":{"range":"wrong-start"}' wrong-bytes='"range":true,"times":2,"do":{"range":"wrong-bytes"}' \
	no-header='"do":{"range":"no-header"}' bad-header='"do":{"range":"bad-header"}' \
	none-left='"do":{"range":"416"}' none-left-bare='"do":{"range":"416-bare"}' \
	multipart='"do":{"range":"multipart"}' wrong-total='"do":{"range":"wrong-total"}' star='"do":{"range":"star"}' \
	shorter='"do":{"range":"shorter"}' longer='"do":{"range":"longer"}' long-body='"do":{"range":"long-body"}' \
	part-as-whole='"do":{"range":"200-part"}' close-delimited='"do":{"range":"close-delimited"}' \
	open-refused='"do":{"range":"open-416"}'
forms="ignore ignore-chunked wrong-start wrong-bytes no-header bad-header none-left none-left-bare multipart wrong-total star
	shorter longer long-body part-as-whole close-delimited open-refused"
for form in $forms; do
	launch "$form" 60 imgpack fetch "$bad/test/$form:1" -o "$form.tar" --platform linux/amd64
done
await
diary "$bad" '.range != null' >ranged
for form in $forms; do
	judge "$form" 0
	grep -q "/test/$form/blobs/" ranged || complain "$form: no Range was asked for, so nothing was tried"
done
echo "$finished of 17 finished"
judged "$bad"
same "open ranges, which some registries refuse" "$(jq -c 'select(.range[1] == null)' ranged | wc -l)" 0
rm -f ./*.tar
stop_pid "$bad_pid"

step "lengths that are wrong, missing, or there twice"
size=$((3 << 20))
serve 3M absent='"do":{"headers":{"Content-Length":null}}' small='"do":{"headers":{"Content-Length":"1000000"}}' \
	large="\"do\":{\"headers\":{\"Content-Length\":\"$((size + 1000))\"},\"cut\":{\"at\":\"100%\"}}" \
	twice="\"do\":{\"headers\":{\"Content-Length\":[\"$size\",\"$size\"]}}" \
	different="\"do\":{\"headers\":{\"Content-Length\":[\"$size\",\"$((size + 7))\"]}}" \
	negative='"do":{"headers":{"Content-Length":"-5"}}' word='"do":{"headers":{"Content-Length":"many"}}' \
	huge='"do":{"headers":{"Content-Length":"99999999999999999999"}}' \
	endless="\"do\":{\"range\":\"ignore-chunked\",\"lie\":\"long\",\"by\":50000000,\"stall\":{\"at\":$((size + 65536))}}"
forms="absent small large twice different negative word huge endless"
for form in $forms; do
	launch "$form" 40 imgpack fetch "$bad/test/$form:1" -o "$form.tar" --platform linux/amd64 --retries 1
done
await
patience=3
[ -z "${ASAN_OPTIONS:-}" ] || patience=8
for form in $forms; do
	case $form in absent) judge "$form" 0 ;; *) judge "$form" 0 1 3 ;; esac
done
judged "$bad"
# This one sends 64 KiB too many, and then waits for ever: who wanted to read more than one byte of them would wait as well.
[ "$(cat run/endless.took)" -le 15 ] || complain "endless: read on behind the blob's end"
rm -f ./*.tar
stop_pid "$bad_pid"

step "5 encodings, the digest that of the encoded or of the decoded bytes; and the papers"
sh "$SOURCE_DIR/fixtures/image/make.sh" "$T/image" >make.log 2>&1 || fail "make the fixture image"
start_bad bad --seed 13 --folder "$T/image" --image deflate=2M --image br=2M --image gzip-on-the-way=2M \
	--image x-gzip-on-the-way=2M --image deflate-on-the-way=2M --image zstd-on-the-way=2M --image br-on-the-way=2M \
	--image config-on-the-way=10k --image manifest-on-the-way=10k
# What is gzip or zstd already, named so by a server that knows file types; and what a server packs on its way out. Nothing
# here can pack brotli, so that one is named, and its ranges are ignored.
rules "$bad" '[{"path":"/app/blobs/","do":{"encode":"gzip","label":true}},
	{"path":"/app2/blobs/","do":{"encode":"x-gzip","label":true}},
	{"path":"/zstd/blobs/","do":{"encode":"zstd","label":true}},
	{"path":"/deflate/blobs/","do":{"encode":"deflate","label":true}},
	{"path":"/br/blobs/","do":{"encode":"br","label":true}},
	{"path":"/gzip-on-the-way/","kind":"layer","do":{"encode":"gzip"}},
	{"path":"/x-gzip-on-the-way/","kind":"layer","do":{"encode":"x-gzip"}},
	{"path":"/deflate-on-the-way/","kind":"layer","do":{"encode":"deflate"}},
	{"path":"/zstd-on-the-way/","kind":"layer","do":{"encode":"zstd"}},
	{"path":"/br-on-the-way/","kind":"layer","do":{"encode":"br","label":true,"range":"ignore-chunked"}},
	{"path":"/config-on-the-way/","kind":"config","do":{"encode":"gzip"}},
	{"path":"/manifest-on-the-way/","kind":"manifest","do":{"headers":{"Content-Encoding":"identity"}}}]'
forms="app app2 zstd deflate br gzip-on-the-way x-gzip-on-the-way deflate-on-the-way zstd-on-the-way br-on-the-way
	config-on-the-way manifest-on-the-way"
for form in $forms; do
	launch "$form" 60 imgpack fetch "$bad/test/$form:1" -o "$form.tar" --platform linux/amd64 --retries 1
done
await
for form in $forms; do
	judge "$form" 0
done
echo "$finished of 12 finished"
judged "$bad"
same "requests that ask for an encoding" "$(count "$bad" '(.headers["accept-encoding"] // "identity") != "identity"')" 0
stop_pid "$bad_pid"

step "redirects that lead nowhere"
serve 100k loop='"do":{"redirect":"loop"}' self='"do":{"redirect":"self"}' six='"do":{"redirect":"chain","hops":6}' \
	five='"do":{"redirect":"chain","hops":5}' none='"do":{"redirect":"none"}' relative='"do":{"redirect":"relative"}' \
	scheme='"do":{"redirect":"scheme-relative"}' ftp='"do":{"redirect":"to","location":"ftp://127.0.0.1/x"}' \
	file='"do":{"redirect":"to","location":"file:///etc/passwd"}'
forms="five relative scheme loop self six none ftp file"
for form in $forms; do
	launch "$form" 30 imgpack fetch "$bad/test/$form:1" -o "$form.tar" --platform linux/amd64
done
await
for form in $forms; do
	case $form in
	five | relative | scheme) judge "$form" 0 ;;
	*)
		judge "$form" 3
		# One second, the rounding up, and the nine of them at once; a sanitizer's start is slow on a busy machine.
		[ "$took" -le "$patience" ] || complain "$form: $took s, but waiting cannot help"
		grep -qiE 'redirect|location|not a usable URL' err || complain "$form: no word about it: $(tail -n 1 err)"
		;;
	esac
done
judged "$bad"
# The same for a manifest.
rules "$bad" '[{"path":"/loop/manifests/","do":{"redirect":"to","location":"/v2/test/loop/manifests/1"}}]'
within "a manifest that points at itself" 40 "$IMGPACK" fetch "$bad/test/loop:1" -o loop.tar --platform linux/amd64
[ "$code" -eq 3 ] && [ "$took" -le "$patience" ] || complain "a manifest that points at itself: exit $code after $took s"
verdict "bad answers"
