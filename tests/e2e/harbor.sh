#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: a project that a Harbor lacks is named before anything is uploaded, each once, and --create-project makes it; names
# that a registry takes from nobody are refused before it is asked; tokens are asked for with pull and push, for every
# repository and every mount. Harbor's own part is a stand-in (servers/harbor.py), the registry behind it is real.
# sanitize: no (the units of its rooms go the same ways)
. "$(dirname "$0")/lib/common.sh"
need docker-registry jq curl
start_registry store
start_registry src
push_images "$src" app app2 multi
cd "$T" || exit 1
exits 0 imgpack fetch "$src/test/app:1" "$src/test/app2:1" "$src/test/multi:1" -o three.tar --platform linux/amd64
printf Harbor12345 >password

# start_harbor [OPTION...]: $harbor is its HOST:PORT, harbor.diary what it was asked.
start_harbor() {
	rm -f harbor.log harbor.diary
	spawn harbor python3 -u "$SERVERS/harbor.py" --registry "$store" --diary "$T/harbor.diary" "$@"
	wait_for 20 grep -q '"harbor"' harbor.log || fail "start_harbor: no answer"
	harbor=127.0.0.1:$(jq -r .harbor harbor.log)
}
# load_as USER CODE OPTION...: three.tar as that user.
load_as() {
	load_user=$1 load_code=$2
	shift 2
	"$IMGPACK" load three.tar --username "$load_user" --password-stdin "$@" <password >out 2>err
	same "exit code as $load_user" "$?" "$load_code"
}
# told FILTER: how many lines of the diary the filter picks.
told() {
	jq -c "select($1)" harbor.diary | wc -l
}
made='.method == "POST" and .path == "/api/v2.0/projects" and .status == 201'
upload='(.path | contains("/blobs/uploads/")) and .status < 300'

step "a missing project is said before the upload, once, with what to do"
start_harbor
load_as dev 7 --to "registry:$harbor/edge"
says "has no project edge;"
says "nothing was uploaded"
says "--create-project makes it"
same "no upload was begun" "$(told "$upload")" 0
same "no project was made" "$(told "$made")" 0
load_as dev 7 --to "registry:$harbor" --name "$src/test/app:1=one/app:1" --name "$src/test/app2:1=one/app2:1" \
	--name "$src/test/multi:1=two/multi:1"
says "has no projects one, two;"

step "of several projects one is missing: nothing goes into the others"
load_as dev 7 --to "registry:$harbor" --name "$src/test/app:1=library/app:1" --name "$src/test/app2:1=library/app2:1" \
	--name "$src/test/multi:1=two/multi:1"
says "has no project two;"
same "no upload was begun" "$(told "$upload")" 0

step "--create-project makes them, private, each once"
: >harbor.diary
load_as dev 0 --to "registry:$harbor" --create-project --name "$src/test/app:1=one/app:1" \
	--name "$src/test/app2:1=one/deep/app2:1" --name "$src/test/multi:1=two/multi:1"
says "made the project one, private"
same "two projects" "$(told "$made")" 2
same "what was asked for" "$(jq -c "select($made) | .body" harbor.diary | sort | tr '\n' ' ')" \
	'{"project_name":"one","metadata":{"public":"false"}} {"project_name":"two","metadata":{"public":"false"}} '
same "the image stands there" "$(registry_digest "$store/one/app:1")" "$(image_digest app)"
same "a deep name" "$(registry_digest "$store/one/deep/app2:1")" "$(image_digest app2)"
same "the project API got Basic alone" "$(told '.path == "/api/v2.0/projects" and .authorization != "Basic"')" 0

step "tokens: pull and push for each repository, pull for what is mounted"
same "pushes are asked for with pull and push" "$(jq -r 'select(.path == "/service/token") | .query' harbor.diary |
	grep -c 'one%2Fapp%3Apull%2Cpush')" 1
jq -r 'select(.path == "/service/token") | .query' harbor.diary | sort | uniq -d >twice
same "no token was asked for twice" "$(cat twice)" ""
mounts=$(told '(.query | startswith("mount=")) and .status == 201')
[ "$mounts" -ge 1 ] || fail "no blob was mounted"
same "no refusal at all" "$(told '.status == 401 and .authorization != null')" 0

step "a second time: the project is there, nothing is sent"
: >harbor.diary
load_as dev 0 --to "registry:$harbor" --create-project --name "$src/test/app:1=one/app:1" \
	--name "$src/test/app2:1=one/deep/app2:1" --name "$src/test/multi:1=two/multi:1"
same "nothing was made" "$(told "$made")" 0
same "no upload was begun" "$(told '(.path | contains("/blobs/uploads/"))')" 0

step "robot accounts, and who may make no project"
load_as 'robot$system' 0 --to "registry:$harbor/by-robot" --create-project
load_as 'robot$library+ci' 4 --to "registry:$harbor/by-ci" --create-project
says "Only system admin can create project"
says "nothing was uploaded"
load_as 'robot$library+ci' 0 --to "registry:$harbor/library" --create-project
load_as guest 4 --to "registry:$harbor/one"
says "nothing was uploaded"
exits 4 imgpack load three.tar --to "registry:$harbor/nobody" --create-project
says "imgpack login"
printf wrong >bad
"$IMGPACK" load three.tar --username dev --password-stdin --to "registry:$harbor/nobody" --create-project <bad >out 2>err
same "a wrong password" "$?" 4
stop_pid "$spawned"
start_harbor --admins-only --stumble 2
load_as dev 4 --to "registry:$harbor/closed" --create-project
load_as admin 0 --to "registry:$harbor/closed" --create-project

step "a name without a project"
load_as dev 7 --to "registry:$harbor" --create-project --name "$src/test/app:1=$harbor/app:1"
says "HOST/PROJECT/NAME"

step "another registry is no Harbor, and is told so"
exits 0 imgpack load three.tar --to "registry:$store/plain" --create-project
says "is no Harbor"
exits 2 imgpack load three.tar --to docker --create-project

step "names that a registry takes from nobody are refused before it is asked"
# The proxy would see every request; there must be none.
refused() {
	exits 7 imgpack load three.tar --to "registry:$1" --proxy "http://127.0.0.1:1" --name "$src/test/app:1=$2"
	says "$3"
	says "nothing was uploaded"
}
refused docker.io docker.io/me/deep/app:1 "docker.io/USER/NAME"
refused docker.io docker.io/library/app:1 "official images"
refused quay.io quay.io/app:1 "quay.io/NAMESPACE/NAME"
refused ghcr.io ghcr.io/app:1 "ghcr.io/OWNER/NAME"
refused europe-docker.pkg.dev europe-docker.pkg.dev/p/app:1 "PROJECT/REPOSITORY/NAME"
refused 1.dkr.ecr.eu-west-1.amazonaws.com 1.dkr.ecr.eu-west-1.amazonaws.com/a--b:1 "not two"

step "a receipt: what was loaded where"
exits 0 imgpack load three.tar --to "registry:$store/receipt" --receipt receipt.json --name "$src/test/app:1=web/shop:blue"
same "its mode and neighbours" "$(ls receipt.json*)" receipt.json
same "archive ID" "$(jq -r .id receipt.json)" "$(archive check three.tar)"
same "target" "$(jq -r .target receipt.json)" "registry:$store/receipt"
same "version" "imgpack $(jq -r .imgpack receipt.json)" "$("$IMGPACK" version)"
jq -r .time receipt.json | grep -qE '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z$' || fail "a time in UTC"
same "an image" "$(jq -r '.images[0] | .name, .digest, .loaded_as, .already_there, .platforms[0].platform' receipt.json | tr '\n' ' ')" \
	"$src/test/app:1 $(image_digest app) $store/receipt/web/shop:blue false linux/amd64 "
[ "$(jq .sent_bytes receipt.json)" -gt 1000000 ] || fail "sent_bytes of a receipt"
cp receipt.json first.json
exits 0 imgpack load three.tar --to "registry:$store/receipt" --receipt receipt.json --name "$src/test/app:1=web/shop:blue"
same "a second load" "$(jq -c '[.sent_bytes, .images[].already_there]' receipt.json)" "[0,true,true,true]"

step "no receipt without a load; no load without a receipt"
cp first.json receipt.json
exits 7 imgpack load three.tar --to "registry:$store/receipt" --receipt receipt.json --name "$src/test/app2:1=web/shop:blue" \
	--name "$src/test/app:1=web/other:1"
cmp -s first.json receipt.json || fail "a load that failed changed the receipt"
same "nothing beside it" "$(ls receipt.json*)" receipt.json
forget_log store
mkdir folder
for file in folder nowhere/receipt.json; do
	exits 6 imgpack load three.tar --to "registry:$store/other" --receipt "$file"
	says "nothing was loaded"
done
same "the registry was not asked" "$(access_log store | wc -l)" 0
