#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# Goal: fetch works through the proxies that there are (squid with and without TLS and passwords, SOCKS5), refusals are told as
# the proxy's with the right exit code, names are looked up where they should be, and no proxy, however hostile, learns the
# registry's password, nor a registry or a message the proxy's.
#
# Loopback is never proxied, so this needs an address that is none: the script runs in a network of its own, where its registries
# are on 198.18.0.1, a name server that remembers is on 198.18.0.53, and "registry.far" is known to the proxies alone.
# squid and microsocks change their user: a root of a user namespace cannot.
[ -n "${APART:-}" ] || [ "$(id -u)" -eq 0 ] || { echo "SKIP proxies.sh: needs root" >&2; exit 77; }
. "$(dirname "$0")/lib/apart.sh"
# sanitize: no (unit/http_proxy and http_tunnel are there)
. "$(dirname "$0")/lib/common.sh"
need docker-registry squid microsocks htpasswd openssl ip jq curl python3
SECRET=proxy-canary
authority=ca.pem
FAR=198.18.0.1

ip link set lo up
ip addr add "$FAR/32" dev lo
ip addr add 198.18.0.53/32 dev lo
chmod 755 "$T"
cd "$T" || exit 1
echo "nameserver 198.18.0.53" >resolv.conf
echo "127.0.0.1 localhost" >hosts
printf '127.0.0.1 localhost\n%s registry.far forbidden.far\n' "$FAR" >proxy.hosts
mount --bind resolv.conf "$(readlink -f /etc/resolv.conf)" && mount --bind hosts /etc/hosts || skip "no files can be mounted"
spawn dns python3 "$SERVERS/dns.py" 198.18.0.53 "known.far=$FAR"
wait_for 20 grep -q ready dns.log || fail "the name server"

# certificate NAME ALTERNATIVES: signed by $T/ca.pem.
make_certificates
certificate() {
	{
		openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
		printf 'subjectAltName=%s\n' "$2" >"$1.ext"
		openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3 -extfile "$1.ext" -out "$1.pem"
	} >/dev/null 2>&1 || fail "certificate: openssl failed"
	chmod 644 "$1.key"
}
certificate far "DNS:registry.far,DNS:known.far,DNS:forbidden.far"
certificate proxy "DNS:localhost,IP:127.0.0.1"
openssl req -x509 -newkey rsa:2048 -nodes -days 3 -subj /CN=registry.far -addext "subjectAltName=DNS:registry.far" \
	-keyout mitm.key -out mitm.pem 2>/dev/null

# Three doors to one storage: here, and far away with and without TLS.
start_registry src
push_images "$src" app
far_registry() {
	far_port=$(free_port)
	registry_config "$1" "$far_port" "$2" htpasswd | sed "s|addr: .*|addr: $FAR:$far_port|; s|$T/$1}|$T/src}|
		s|$T/server\.|$T/far.|g" >"$1.yml"
	spawn "$1" docker-registry serve "$1.yml"
	wait_for 20 answers -k "$3://$FAR:$far_port/v2/" || fail "far_registry: no answer"
	eval "$1=$far_port"
}
far_registry tls tls https
far_registry plain readonly http

# logged_in HOST:PORT...: the credentials that a registry may see, and no proxy.
logged_in() {
	mkdir -p "$DOCKER_CONFIG"
	for login_host in "$@"; do
		jq -n --arg h "$login_host" --arg a "$(printf tester:s3cret | base64)" '{auths: {($h): {auth: $a}}}'
	done | jq -s 'reduce .[] as $x ({}; . * $x)' >"$DOCKER_CONFIG/config.json"
}
logged_in "registry.far:$tls" "known.far:$tls" "forbidden.far:$tls" "registry.far:$plain" "$FAR:$plain"

# by CODE HOST:PORT OPTION...: one fetch. Whatever happens, the proxy's password is not told.
by() {
	by_code=$1 by_host=$2
	shift 2
	rm -f app.tar
	exits "$by_code" timeout 60 "$IMGPACK" fetch "$by_host/test/app:1" -o app.tar --platform linux/amd64 --retries 0 \
		--no-progress -v --cacert "$authority" "$@"
	refuse "the proxy's password is told" grep -qF -e "$SECRET" -e s3cret out err
	[ "$by_code" -ne 0 ] || same "the image" "$(tar -xOf app.tar index.json | jq -r '.manifests[0].digest')" "$(image_digest app)"
}
# What this machine's name server was asked for since `forget_names`.
forget_names() {
	names_before=$(wc -l <dns.log)
}
names() {
	tail -n "+$((names_before + 1))" dns.log | sort -u | tr '\n' ' '
}

step "squid"
http=$(free_port) auth=$(free_port) secure=$(free_port)
htpasswd -nbm puser "$SECRET" >squid.passwd 2>/dev/null
mkdir squid && chmod 777 squid
cat >squid.conf <<CONF
http_port 127.0.0.1:$http name=open
http_port 127.0.0.1:$auth name=auth
https_port 127.0.0.1:$secure tls-cert=$T/proxy.pem tls-key=$T/proxy.key name=secure
auth_param basic program /usr/lib/squid/basic_ncsa_auth $T/squid.passwd
acl door myportname auth
acl known proxy_auth REQUIRED
acl forbidden dstdomain forbidden.far
http_access deny forbidden
http_access deny door !known
http_access allow all
hosts_file $T/proxy.hosts
logformat told %>p %rm %ru %>Hs auth=%{Authorization}>h proxy=%{Proxy-Authorization}>h
access_log stdio:$T/squid/access.log told
cache_log $T/squid/cache.log
cache deny all
pid_filename none
netdb_filename none
pinger_enable off
shutdown_lifetime 1 seconds
coredump_dir $T/squid
CONF
spawn squid squid -N -f "$T/squid.conf"
wait_for 30 answers "http://127.0.0.1:$http/" || fail "squid does not answer"
# through TEXT: squid was asked for this, since the last time.
through() {
	wait_for 5 grep -qF -- "$1" squid/access.log || fail "through $1"
	: >squid/access.log
}

forget_names
by 0 "registry.far:$tls" --proxy "http://127.0.0.1:$http"
refuse "the registry's password in the open" grep -q 'auth=Basic' squid/access.log
through "CONNECT registry.far:$tls 200 auth=- proxy=-"
by 0 "registry.far:$plain" --proxy "http://127.0.0.1:$http" --plain-http "registry.far:$plain"
through "GET http://registry.far:$plain/v2/test/app/manifests/1 200"
same "names looked up for a proxy that speaks HTTP" "$(names)" ""

# Uploads go the same way: blobs, then papers.
exits 0 imgpack load app.tar --to "registry:registry.far:$tls/copy" --proxy "http://127.0.0.1:$http" --cacert ca.pem
refuse "the registry's password in the open" grep -q 'auth=Basic' squid/access.log
through "CONNECT registry.far:$tls 200 auth=- proxy=-"
same "the image behind the proxy" "$(registry_digest "$src/copy/test/app:1")" "$(image_digest app)"

step "squid with passwords"
by 0 "registry.far:$tls" --proxy "http://puser:$SECRET@127.0.0.1:$auth"
through "CONNECT registry.far:$tls 200"
by 4 "registry.far:$tls" --proxy "http://puser:$SECRET-x@127.0.0.1:$auth"
says "the proxy refuses this user and password"
says "registry.far:$tls (through the proxy http://127.0.0.1:$auth)"
through "CONNECT registry.far:$tls 407"
by 4 "registry.far:$tls" --proxy "http://127.0.0.1:$auth"
says "the proxy wants a user and a password (http://USER:PASSWORD@HOST:PORT)"
by 4 "registry.far:$plain" --proxy "http://127.0.0.1:$auth" --plain-http "registry.far:$plain"
says "the proxy wants a user and a password"
by 4 "registry.far:$plain" --proxy "http://puser:$SECRET-x@127.0.0.1:$auth" --plain-http "registry.far:$plain"
says "the proxy refuses this user and password"

step "what squid forbids, and no squid at all"
by 3 "forbidden.far:$tls" --proxy "http://127.0.0.1:$http"
says "the proxy refuses the tunnel, status 403"
says "NO_PROXY"
by 3 "nowhere.far:$tls" --proxy "http://127.0.0.1:$http"
says "the proxy refuses the tunnel, status 5"
by 3 "registry.far:$tls" --proxy "http://puser:$SECRET@127.0.0.1:1"
says "through the proxy http://127.0.0.1:1): cannot connect"

step "squid behind TLS"
by 0 "registry.far:$tls" --proxy "https://127.0.0.1:$secure"
through "CONNECT registry.far:$tls 200"
authority=mitm.pem
by 3 "registry.far:$tls" --proxy "https://127.0.0.1:$secure"
says "--cacert FILE names yours"
authority=ca.pem
refuse "squid was asked all the same" grep -q CONNECT squid/access.log

step "where the proxy comes from"
# from_env CODE NAME=VALUE...: as `by`, to the registry behind TLS.
from_env() {
	env_code=$1
	shift
	rm -f app.tar
	exits "$env_code" env "$@" timeout 60 "$IMGPACK" fetch "registry.far:$tls/test/app:1" -o app.tar --platform linux/amd64 \
		--retries 0 --no-progress --cacert ca.pem
	refuse "the proxy's password is told" grep -qF -e "$SECRET" -e s3cret out err
}
url=http://puser:$SECRET@127.0.0.1:$auth
for name in HTTPS_PROXY https_proxy ALL_PROXY all_proxy; do
	from_env 0 "$name=$url"
	through "CONNECT registry.far:$tls 200"
done
from_env 3 "HTTPS_PROXY=$url" NO_PROXY=.far
says "no address"
from_env 3 "HTTP_PROXY=$url"
says "no address"
from_env 2 "HTTPS_PROXY=ftp://puser:$SECRET@127.0.0.1"
says "HTTPS_PROXY: a proxy is http://, https://, socks5:// or socks5h://"
cp "$DOCKER_CONFIG/config.json" config.json
# settings JSON: docker's config.json with these `proxies`.
settings() {
	jq --argjson p "$1" '.proxies = $p' config.json >"$DOCKER_CONFIG/config.json"
}
settings "{\"default\": {\"httpsProxy\": \"$url\"}}"
from_env 0 UNUSED=1
through "CONNECT registry.far:$tls 200"
from_env 3 NO_PROXY=elsewhere
says "no address"
from_env 3 HTTPS_PROXY=http://127.0.0.1:1
says "through the proxy http://127.0.0.1:1)"
settings "{\"default\": {\"httpsProxy\": \"http://127.0.0.1:1\"}, \"unix:///far.sock\": {\"allProxy\": \"$url\"}}"
from_env 0 DOCKER_HOST=unix:///far.sock
through "CONNECT registry.far:$tls 200"
settings "{\"default\": {\"httpsProxy\": \"$url\", \"noProxy\": \"registry.far\"}}"
from_env 3 UNUSED=1
says "no address"
settings "{\"default\": {\"httpsProxy\": [\"$url\"]}}"
from_env 6 UNUSED=1
says '"proxies": "default": "httpsProxy" is not a text'
by 0 "registry.far:$tls" --proxy "$url"
cp config.json "$DOCKER_CONFIG/config.json"

step "SOCKS5: who looks the name up"
# The proxy has its own /etc/hosts.
start_socks() {
	socks_name=$1 socks_port=$(free_port)
	shift
	spawn "$socks_name" unshare -m --propagation private sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$T/proxy.hosts" \
		microsocks -i 127.0.0.1 -p "$socks_port" "$@"
	wait_for 20 python3 -c "import socket; socket.create_connection(('127.0.0.1', $socks_port))" || fail "start_socks"
	eval "$socks_name=127.0.0.1:$socks_port"
}
start_socks socks
forget_names
by 0 "registry.far:$tls" --proxy "socks5h://$socks"
same "names looked up for socks5h" "$(names)" ""
by 0 "registry.far:$plain" --proxy "socks5h://$socks" --plain-http "registry.far:$plain"
from_env 0 "ALL_PROXY=socks5://$socks"
same "names looked up for socks5 of the environment, where Go leaves it to the proxy" "$(names)" ""
by 0 "known.far:$tls" --proxy "socks5://$socks"
same "names looked up for socks5" "$(names)" "known.far "
by 3 "registry.far:$tls" --proxy "socks5://$socks"
same "names looked up for socks5" "$(names)" "known.far registry.far "
says "no address"
says "socks5h://"
by 3 "nowhere.far:$tls" --proxy "socks5h://$socks"
says "through the proxy socks5h://$socks)"

step "SOCKS5 with passwords"
start_socks locked -u puser -P "$SECRET"
by 0 "registry.far:$tls" --proxy "socks5h://puser:$SECRET@$locked"
by 4 "registry.far:$tls" --proxy "socks5h://puser:$SECRET-x@$locked"
says "the proxy refuses this user and password"
by 4 "registry.far:$tls" --proxy "socks5h://$locked"
says "the proxy wants a user and a password (socks5h://USER:PASSWORD@HOST:PORT)"

step "proxies that do not mean well"
# bait ACT: one hostile proxy on $bait, which writes down what it is told.
bait() {
	bait=$(free_port)
	rm -f bait.log
	spawn bait python3 "$SERVERS/hostile_proxy.py" proxy "$bait" "$T/proxy.diary" "$1" "$T/mitm.pem" "$T/mitm.key" "$FAR"
	wait_for 20 grep -q ready bait.log || fail "bait: no answer"
}
told=$(free_port)
spawn told python3 "$SERVERS/hostile_proxy.py" registry "$FAR" "$told" "$T/registry.diary" "$T/far.pem" "$T/far.key"
wait_for 20 grep -q ready told.log || fail "the registry that writes down"
logged_in "registry.far:$told" "127.0.0.1:$told"
origin_secret=$(printf tester:s3cret | base64)
proxy_secret=$(printf 'puser:%s' "$SECRET" | base64)
count() {
	grep -acF -e "$1" -e "$2" "$3"
}
cases=0
while read -r act code words; do
	: >proxy.diary
	: >registry.diary
	bait "$act"
	by "$code" "registry.far:$told" --proxy "http://puser:$SECRET@127.0.0.1:$bait" --stall-timeout 2 </dev/null
	[ "$act" = honest ] || says "through the proxy http://127.0.0.1:$bait): $words"
	same "$act: origin secret at the proxy" "$(count "$origin_secret" s3cret proxy.diary)" 0
	same "$act: proxy secret at the origin" "$(count "$proxy_secret" "$SECRET" registry.diary)" 0
	case $act in
	honest) same "honest: the registry was told" "$(grep -acF "$origin_secret" registry.diary)" 1 ;;
	*) same "$act: nothing reached the registry" "$(wc -c <registry.diary)" 0 ;;
	esac
	case $act in
	close | garbage) ;;
	*) [ "$(grep -acF "Proxy-Authorization: Basic $proxy_secret" proxy.diary)" -ge 1 ] || fail "the proxy was told its own" ;;
	esac
	cases=$((cases + 1))
	stop_pid "$spawned"
done <<LIST
honest 5 -
401 3 the proxy refuses the tunnel, status 401
407 4 the proxy refuses this user and password
407-close 4 the proxy refuses this user and password
407-other 4 the proxy refuses this user and password
302 3 the proxy refuses the tunnel, status 302
close 3
garbage 3
headers 3
interim 3
silent 3 no byte for 2 seconds
plain 3 does not speak TLS
mitm 3 its certificate is self-signed
cut 3
LIST
same "proxies tried" "$cases" 14
echo "origin secret at a proxy 0, proxy secret at an origin 0, in $cases cases"
