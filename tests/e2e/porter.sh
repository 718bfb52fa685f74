#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: the workflows of .github/workflows do what .github/PORTER.md says: their own `run:` steps, taken out of the files and
# run here with real registries and a stand-in `gh` that records what it was asked. A hostile title runs nothing, changes
# nothing in what other steps read, and ends in an answer with the error and an open issue.
# sanitize: no (the parser's unit goes the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq bash curl
python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not here"
start_registry src
start_registry dst
start_registry closed htpasswd
push_images "$src" app multi
cd "$T" || exit 1
workflows=$SOURCE_DIR/.github/workflows

step "rules: no expression in a shell line, permissions, pinned actions, secrets where they are used"
for file in "$workflows"/porter*.yml; do
	check "the rules of workflows" python3 "$LIB/workflow.py" check "$file"
done
for word in tests/setup.sh; do
	check "a step runs a file that is not there" test -f "$SOURCE_DIR/$word"
done

mkdir bin
cat >bin/gh <<'END'
#!/bin/sh
# Records its words, one call a line, and keeps the file that it was to send.
printf '%s\n' "$*" >>"$GH_CALLS"
while [ "$#" -gt 0 ]; do
	case $1 in
	--body-file | --notes-file) cp "$2" "$GH_CALLS.body"; shift ;;
	*/images.*) [ -s "$1" ] || exit 1 ;;
	esac
	shift
done
END
chmod +x bin/gh
ln -s "$IMGPACK" bin/imgpack
PATH=$T/bin:$PATH
export PATH GH_CALLS="$T/calls"

# port RESULT TITLE: the workflow on an issue of this title. $VARS: the repository's variables, $WHO: who wrote it.
vars="{\"PORTER_TARGET\": \"$dst/moved\", \"PORTER_SOURCES\": \"$src\"}"
port() {
	port_result=$1
	rm -rf calls calls.body temp
	: >calls
	jq -n --arg title "$2" --arg who "${WHO:-OWNER}" --argjson vars "${VARS:-$vars}" \
		'{github: {event: {issue: {title: $title, number: 7, author_association: $who}}, token: "t0ken",
		  repository: "me/porter", server_url: "https://github.com", run_id: "1"},
		  vars: $vars, secrets: {PORTER_TOKEN: "s3cret"}}' >context.json
	port_said=$(python3 "$LIB/workflow.py" run "$workflows/porter.yml" context.json temp --skip "Build imgpack" 2>port.log)
	[ "$port_said" = "$port_result" ] || {
		cat calls.body temp/log >&2
		same "the workflow's end" "$port_said" "$port_result"
	}
}

step "an image with all its platforms"
port done "[PORTER] $src/test/multi:1"
same "the index, as it was" "$(registry_digest "$dst/moved/test/multi:1")" "$(image_digest multi)"
grep -q "^    docker pull $dst/moved/test/multi:1\$" calls.body || fail "the pull command"
same "answered, then closed" "$(tr '\n' ';' <calls)" \
	"issue comment 7 --body-file $T/temp/porter.md;issue close 7 --reason completed;"

step "one platform, several platforms"
port done "[PORTER] $src/test/multi:1|linux/arm64"
same "the platform's manifest" "$(registry_digest "$dst/moved/test/multi:1")" "$(child_digest multi linux/arm64/v8)"
port done "[PORTER] $src/test/multi:1 | linux/amd64, linux/arm64"
curl -sf -H "Accept: $ACCEPT" "http://$dst/v2/moved/test/multi/manifests/1" >two.json || fail "the index of two"
same "an index of two" "$(jq -r '.manifests[].digest' two.json | sort)" \
	"$({ child_digest multi linux/amd64; echo; child_digest multi linux/arm64/v8; } | grep . | sort)"
same "one pull command" "$(grep -c '^    docker pull ' calls.body)" 1

step "a registry behind a password; the token is nowhere else"
VARS="{\"PORTER_TARGET\": \"$closed\", \"PORTER_SOURCES\": \"$src\", \"PORTER_USER\": \"tester\"}"
port done "[PORTER] $src/test/app:1"
curl -sf -u tester:s3cret -H "Accept: $ACCEPT" -o /dev/null "http://$closed/v2/test/app/manifests/1" || fail "the image behind the password"
! grep -rq s3cret temp calls calls.body || fail "the token was written somewhere"
unset VARS

step "what fails is answered and stays open"
port failed "[PORTER] $src/test/absent:1"
grep -q "^    imgpack: .*absent" calls.body || fail "the error in the answer"
same "not closed" "$(grep -c close calls)" 0
VARS='{}' port failed "[PORTER] quay.io/a/b:1"
grep -q PORTER_TARGET calls.body || fail "what is not set up"
port failed "[PORTER] $dst/moved/test/multi:1"
grep -q "registries that may be named" calls.body || fail "a registry that is not allowed"

step "who may"
WHO=NONE port skipped "[PORTER] $src/test/app:1"
port skipped "a question about [PORTER]"
same "gh was not asked" "$(cat calls)" ""

step "hostile titles"
for title in "[PORTER] \$(touch $T/ran)\`touch $T/ran\`" "[PORTER] x\" ; touch $T/ran; \"" "[PORTER] '; touch $T/ran; '" \
	"[PORTER] $src/test/app:1|linux/amd64;touch $T/ran" "[PORTER] $src/test/app:1
reference=evil" "[PORTER] \${{ secrets.PORTER_TOKEN }} *" "[PORTER] \`\`\`
::warning::x
##[error]x" "[PORTER] $(printf 'x%.0s' $(seq 5000))" "[PORTER] $(printf '\033[31mx\342\200\256y\321\205')"; do
	port failed "$title"
	[ ! -e ran ] || fail "a title ran something"
	same "not closed: $title" "$(grep -c close calls)" 0
	same "one comment" "$(grep -c 'issue comment 7' calls)" 1
	same "the title's step gave nothing" "$(cat temp/step*.out)" ""
	! grep -qE '^[[:space:]]*(::|##\[)|##\[' temp/log || fail "a command in the log"
	# Everything behind the first lines is a block of code.
	same "nothing but a block of code" "$(sed 1,2d calls.body | grep -vc '^    ')" 0
	! grep -q "$(printf '\033')" calls.body || fail "an escape sequence in the answer"
done

# release RESULT IMAGES PLATFORMS TAG
release() {
	rm -rf calls calls.body temp
	: >calls
	jq -n --arg i "$2" --arg p "$3" --arg t "$4" \
		'{inputs: {images: $i, platforms: $p, tag: $t}, github: {token: "t", repository: "me/porter"}}' >context.json
	release_said=$(python3 "$LIB/workflow.py" run "$workflows/porter-release.yml" context.json temp --skip "Build imgpack")
	[ "$release_said" = "$1" ] || {
		cat temp/log >&2
		same "the workflow's end" "$release_said" "$1"
	}
}

step "a release"
release done "$src/test/app:1  $src/test/multi:1" linux/amd64 v1.0
same "what gh was asked" "$(cut -d' ' -f1-3 calls)" "release create v1.0"
for file in images.tar.001 images.sha256; do
	grep -qF "./$file" calls || fail "the release lacks $file"
done
(cd temp/out && sha256sum -c images.sha256) >check.log 2>&1 || fail "the sums of a release"
id=$(grep -o 'sha256:[0-9a-f]*$' calls.body | tail -n 1)
exits 0 imgpack load temp/out --expect "$id" --to "registry:$dst/released"
same "what was released" "$(registry_digest "$dst/released/test/app:1")" "$(image_digest app)"
for tag in "-x" "v1;id" ""; do
	release failed "$src/test/app:1" linux/amd64 "$tag"
	same "gh was not asked" "$(cat calls)" ""
done
release failed "$src/test/app:1 \$(touch $T/ran)" linux/amd64 v2
[ ! -e ran ] || fail "an input ran something"
