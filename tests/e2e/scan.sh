#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: from manifests in the shapes that people write, scan prints exactly the images that they name (fixtures/scan/expected.txt:
# 0 missed, 0 invented), says what it did not take with file and line, and its list is one that fetch takes.
# timeout: 120
# sanitize: no (unit/oci_scan and the fuzz target read the same bytes)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq
unset REGISTRY TAG WEB_IMAGE WEB_TAG REDIS_VERSION FALLBACK_VERSION PRIVATE_REGISTRY NO_SUCH_TAG IMMICH_VERSION
cd "$SOURCE_DIR/fixtures/scan" || exit 1

step "manifests of known projects' shapes"
total=0 missed=0 invented=0
for file in *; do
	[ "$file" != expected.txt ] || continue
	awk -v file="$file" '/^==/ { on = $2 == file; next } on && NF && !/^#/' expected.txt | LC_ALL=C sort >"$T/want"
	grep -q "^== $file\$" expected.txt || fail "expected.txt does not name $file"
	exits 0 imgpack scan "$file"
	check "sorted, each once" sh -c "LC_ALL=C sort -cu '$T/out'"
	missed=$((missed + $(LC_ALL=C comm -23 "$T/want" "$T/out" | tee -a "$T/missed" | wc -l)))
	invented=$((invented + $(LC_ALL=C comm -13 "$T/want" "$T/out" | tee -a "$T/invented" | wc -l)))
	total=$((total + 1))
done
echo "$total manifests: $missed missed, $invented invented"
cat "$T/missed" "$T/invented"
same "missed" "$missed" 0
same "invented" "$invented" 0
[ "$total" -ge 30 ] || fail "only $total manifests were found"

step "a folder is the sum of its files; -v says where"
exits 0 imgpack scan . -v
grep -v '^[=#]' expected.txt | grep . | LC_ALL=C sort -u | grep -v '^registry.k8s.io/\(kube-\(a\|c\|s\|p\)\|pause\|etcd\|coredns\)' >"$T/want"
grep -vE '^registry.k8s.io/(kube-[acsp]|pause|etcd|coredns)' "$T/out" >"$T/have"
check "all but the list, which is none of the names that are looked for" cmp "$T/want" "$T/have"
says "./calico.yaml:9: docker.io/calico/cni:v3.26.4"
says "./Dockerfile:18: not taken: build-\${TARGETOS}"
exits 0 imgpack scan . --json
jq -e '.images[] | select(.name == "quay.io/argoproj/argocd:v2.9.3") | .places == [{"file":"./argocd.yaml","line":23},{"file":"./argocd.yaml","line":33}]' \
	"$T/out" >/dev/null || fail "--json has the places"
exits 0 imgpack scan istio.yaml -q
says_not "fields named"

step "variables of Compose: the environment, then .env, then the default"
mkdir "$T/compose"
cp compose-stack.yml "$T/compose/"
printf '# settings\nexport TAG="9.9" # newest\nREDIS_VERSION = 6\nPRIVATE_REGISTRY=r.example.org\n' >"$T/compose/.env"
exits 0 env REDIS_VERSION=5 "$IMGPACK" scan "$T/compose"
prints "ghcr.io/example/worker:9.9"
prints "docker.io/library/redis:5"
prints "r.example.org/private:1"
says "NO_SUCH_TAG is not set"

step "standard input: lists, manifests, Dockerfiles"
exits 0 sh -c "\"$IMGPACK\" scan - <kubeadm.txt"
same "a list" "$(wc -l <"$T/out")" 7
exits 0 sh -c "\"$IMGPACK\" scan - <Dockerfile"
prints "docker.io/docker/dockerfile:1.4"
exits 0 sh -c "\"$IMGPACK\" scan - -v <pods.json"
says "standard input:14: "
exits 2 imgpack scan - -
exits 0 sh -c "printf '%s' '' | \"$IMGPACK\" scan -"
says "no image is named"

step "folders: hidden files, links and loops, charts, what is no file"
cd "$T" || exit 1
mkdir -p tree/sub tree/.hidden tree/app/templates elsewhere
echo 'image: a.example.org/a:1' | tee tree/x.yaml >tree/.hidden/x.yaml
echo 'image: a.example.org/b:1' >elsewhere/y.yaml
echo 'image: a.example.org/hidden:1' | tee tree/.hidden/z.yaml >tree/.z.yaml
ln -s .. tree/sub/up
ln -s ../elsewhere tree/folder
ln -s ../elsewhere/y.yaml tree/y.yml
ln -s nowhere tree/n.yaml
mkfifo tree/pipe.yaml
echo 'name: app' >tree/app/Chart.yaml
echo 'image: {repository: a.example.org/c, tag: 1}' >tree/app/values.yaml
cp "$SOURCE_DIR/fixtures/scan/chart-template.yaml" tree/app/templates/d.yaml
echo 'image: a.example.org/no:1' >tree/notes.txt
exits 0 imgpack scan tree
same "the list" "$(tr '\n' ' ' <out)" "a.example.org/a:1 a.example.org/b:1 a.example.org/c:1 "
says "tree/app is a Helm chart, its templates are not read: helm template tree/app | imgpack scan -"
exits 0 imgpack scan tree/.z.yaml
prints "a.example.org/hidden:1"

step "broken files: named by line, the others' images are there, exit 1"
mkdir broken
printf 'image: a.example.org/a:1\n---\nspec:\n  - x\n bad: [\n' >broken/1.yaml
printf 'image: a.example.org/b:1\n' >broken/2.yaml
printf '\377\376\000' >broken/3.yml
exits 1 imgpack scan broken
same "the list" "$(tr '\n' ' ' <out)" "a.example.org/a:1 a.example.org/b:1 "
says "broken/1.yaml:5: "
says "broken/3.yml:1: "
exits 1 imgpack scan broken --json
same "problems" "$(jq -c '[.problems[] | [.file, .line]]' out)" '[["broken/1.yaml",5],["broken/3.yml",1]]'
exits 6 imgpack scan nowhere.yaml
python3 - <<'END'
with open("bomb.yaml", "w") as f:
    f.write("a0: &a0 {k: {l: x}}\n")
    for i in range(1, 60):
        f.write("a%d: &a%d [%s]\n" % (i, i, ",".join(["*a%d" % (i - 1)] * 9)))
with open("deep.yaml", "w") as f:
    f.write("[" * 900 + "]" * 900)
with open("terminal.yaml", "w") as f:
    f.write('containers: [{image: "a\\e[2Jb"}]\n')
END
exits 1 imgpack scan bomb.yaml
says "aliases make more of it than a manifest has"
exits 1 imgpack scan deep.yaml
says "too deep"
exits 0 imgpack scan terminal.yaml
! grep -q "$(printf '\033')" err || fail "a reference drives the terminal"

step "what it prints is what fetch takes"
start_registry src
push_images "$src" app app2
printf 'services:\n  a: {image: "%s/test/app:1"}\n  b: {image: "%s/test/${B:-app2}:1"}\n' "$src" "$src" >compose.yaml
"$IMGPACK" scan compose.yaml | "$IMGPACK" fetch --images - -o x.tar --platform linux/amd64 >out 2>err ||
	fail "scan feeds fetch"
exits 0 imgpack inspect x.tar --json
same "images" "$(jq -c '[.images[].name]' out)" "[\"$src/test/app2:1\",\"$src/test/app:1\"]"
