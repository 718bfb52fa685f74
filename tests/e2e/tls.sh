#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# Goal: a certificate error says why and what to do; certificates, keys and excuses are for the host they were given for; and
# https stays https: whatever goes wrong, no byte is sent in plain HTTP.
#
# In namespaces of its own: the ports 80 and 443, names, and the machine's store of authorities are this script's.
. "$(dirname "$0")/lib/apart.sh"
# sanitize: no (unit/http_tls is there)
. "$(dirname "$0")/lib/common.sh"
need docker-registry nginx openssl ip jq
ip link set lo up || skip "no loopback in a network namespace"
ip address add 10.9.9.9/32 dev lo
cd "$T" || exit 1

# ---- what stands where
mkdir c
check "make certificates" sh "$SOURCE_DIR/tests/unit/http/certs.sh" "$T/c"
{
	echo "127.0.0.1 localhost"
	for name in good old early other strange alone client location blobs realm hop; do
		echo "127.0.0.1 $name.tls.test"
	done
	# One address of this machine and one of somewhere else; nobody listens at 443 of either.
	echo "127.0.0.2 two.tls.test"
	echo "10.9.9.9 two.tls.test"
	echo "127.0.0.2 loop.tls.test"
} >hosts
mount --bind hosts /etc/hosts || skip "no mounts in a namespace"

registry_config store 5000 >store.yml
spawn store docker-registry serve store.yml
wait_for 20 answers http://127.0.0.1:5000/v2/ || fail "the registry does not answer"
push_images 127.0.0.1:5000 app

# front NAME CERTIFICATE [LINE...]: a virtual host of nginx at 443.
front() {
	front_name=$1 front_cert=$2
	shift 2
	echo "server { listen 127.0.0.1:443 ssl; server_name $front_name.tls.test;"
	echo "ssl_certificate $T/c/$front_cert.pem; ssl_certificate_key $T/c/$front_cert.key;"
	printf '%s\n' "$@"
	echo "location / { proxy_pass http://127.0.0.1:5000; proxy_set_header Host \$http_host; proxy_buffering off; } }"
}
{
	echo "daemon off; pid $T/nginx.pid; error_log stderr; events {} http {"
	echo "access_log $T/front.log; client_body_temp_path $T; proxy_temp_path $T; fastcgi_temp_path $T;"
	echo "uwsgi_temp_path $T; scgi_temp_path $T;"
	for name in good old early other strange alone; do
		front "$name" "$name"
	done
	front client good "ssl_client_certificate $T/c/ca.pem; ssl_verify_client on;"
	front location good "location /v2/ { return 307 http://good.tls.test\$request_uri; }"
	front blobs good "location ~ /blobs/ { return 307 http://good.tls.test\$request_uri; }"
	front realm good "location /v2/ {" \
		"add_header WWW-Authenticate 'Bearer realm=\"http://realm.tls.test/token\",service=\"x\"' always; return 401; }"
	front hop strange "location ~ /blobs/ { return 307 https://strange.tls.test\$request_uri; }"
	echo "server { listen 127.0.0.1:8443 ssl; ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;"
	echo "ssl_certificate $T/c/good.pem; ssl_certificate_key $T/c/good.key; }"
	echo "}"
} >nginx.conf
spawn nginx nginx -c "$T/nginx.conf"
wait_for 20 answers -k https://good.tls.test/v2/ || fail "nginx does not answer"

# docker-registry speaks TLS itself, and one wants a client certificate.
for kind in 5443 5444; do
	registry_config "tls$kind" "$kind" | sed "s|rootdirectory: .*}|rootdirectory: $T/store}|" >"$kind.yml"
	{
		echo "  tls:"
		echo "    certificate: $T/c/good.pem"
		echo "    key: $T/c/good.key"
		[ "$kind" = 5443 ] || echo "    clientcas: [$T/c/ca.pem]"
	} >>"$kind.yml"
	spawn "tls$kind" docker-registry serve "$kind.yml"
	wait_for 20 answers -k --cert c/other.pem --key c/other.key "https://good.tls.test:$kind/v2/" ||
		fail "the registry at $kind does not answer"
done

# The witness. Whoever comes to port 80 finds what a client that falls back is content with.
spawn count python3 -u "$SERVERS/count.py" "$T/witness" 0.0.0.0:80:registry 127.0.0.1:8441:close 127.0.0.1:8442:reset \
	127.0.0.1:8444:http400 127.0.0.1:8445:alert 127.0.0.1:8446:registry 127.0.0.1:3128:proxy403 10.9.9.9:5000:registry
wait_for 20 grep -q ready count.log || fail "the witness does not listen"

# get CODE HOST [OPTION...]: a fetch from this host, tried once.
get() {
	get_code=$1 get_host=$2
	shift 2
	rm -f x.tar
	exits "$get_code" imgpack fetch "$get_host/test/app:1" -o x.tar --platform linux/amd64 --retries 0 --cacert c/ca.pem "$@"
}

# plain: connections that sent something in plain HTTP, or came to port 80 at all.
plain() {
	grep -cE '^80 |^[0-9]+ plain ' witness
}

step "the witness sees what it should"
: >witness
answers http://good.tls.test/v2/ || fail "port 80 does not answer"
answers http://127.0.0.1:8441/
! answers -k https://127.0.0.1:8442/ || fail "port 8442 answers"
wait_for 5 test "$(wc -l <witness)" -ge 3
same "plain connections seen" "$(plain)" 2
same "TLS seen" "$(grep -c '^8442 tls ' witness)" 1
: >witness

step "certificates that are right"
get 0 good.tls.test
get 0 good.tls.test:5443

step "certificates that are not: the host, the cause, the way out"
get 3 old.tls.test
says "old.tls.test: its certificate has expired (is this machine's clock right? It says $(date -u +%Y-%m)"
get 3 early.tls.test
says "early.tls.test: its certificate is not valid yet (is this machine's clock right? It says $(date -u +%Y-%m)"
get 3 other.tls.test
says "other.tls.test: its certificate is for another name"
says "ask for it by a name that stands in it"
get 3 strange.tls.test
says "strange.tls.test: its certificate is signed by an authority that this machine does not know"
says "--cacert FILE names yours"
get 3 alone.tls.test
says "alone.tls.test: its certificate is self-signed"
get 3 good.tls.test:8443
says "speaks no TLS 1.2 or newer"
# Without any store the good one is unknown, too.
exits 3 imgpack fetch good.tls.test:5443/test/app:1 -o x.tar --platform linux/amd64 --retries 0
says "good.tls.test:5443: its certificate is signed by an authority"

step "the machine's own store"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
	mount --bind c/ca.pem /etc/ssl/certs/ca-certificates.crt || fail "the store cannot be replaced"
	exits 0 imgpack fetch good.tls.test:5443/test/app:1 -o x.tar --platform linux/amd64 --retries 0
	umount /etc/ssl/certs/ca-certificates.crt
fi

step "client certificates"
get 0 client.tls.test --cert c/other.pem --key c/other.key
get 0 good.tls.test:5444 --cert c/other.pem --key c/other.key
cat c/other.pem c/other.key >both.pem
get 0 good.tls.test:5444 --cert both.pem
# This server resets the connection behind its alert, which may be lost then: exit code 3 without the reason.
refused() { # WORDS OF THE ALERT, WORDS WITHOUT
	refused_alert=$1 refused_lost=$2
	shift 2
	rm -f x.tar
	"$IMGPACK" fetch good.tls.test:5444/test/app:1 -o x.tar --platform linux/amd64 --retries 0 --cacert c/ca.pem "$@" >out 2>err
	case $? in
	4) says "$refused_alert" ;;
	3) says "$refused_lost" ;;
	*) fail "refused() { " ;;
	esac
}
refused "wants a client certificate (--cert FILE --key FILE)" "TLS handshake"
refused "refuses the client certificate of --cert" "client certificate of --cert" --cert c/strange.pem --key c/strange.key
get 4 client.tls.test
says "No required SSL certificate was sent"
says "it wants a client certificate that it knows (--cert FILE --key FILE)"
get 4 client.tls.test --cert c/strange.pem --key c/strange.key
says "it wants a client certificate that it knows"
get 6 client.tls.test --cert c/good.pem --key c/locked.key
says "locked.key: the key is protected by a password"
says "openssl pkey"
get 6 client.tls.test --cert c/good.pem --key c/other.key
says "--key"
get 6 client.tls.test --cert c/none.pem --key c/other.key
says "c/none.pem: cannot open"

step "an excuse is for the host it names"
get 0 old.tls.test --insecure-skip-tls-verify old.tls.test
check "the layers of the excused host" tar -tf x.tar "blobs/sha256/$(image_digest app | cut -d: -f2)"
get 0 old.tls.test --insecure-skip-tls-verify old.tls.test:443
get 3 old.tls.test --insecure-skip-tls-verify tls.test
get 3 old.tls.test --insecure-skip-tls-verify old.tls.test:5443
get 3 old.tls.test --insecure-skip-tls-verify early.tls.test
# Its blobs are elsewhere: whoever is excused may lead there, and is not an excuse for it.
get 3 hop.tls.test --insecure-skip-tls-verify hop.tls.test
says "strange.tls.test: its certificate is signed by"
get 0 hop.tls.test --insecure-skip-tls-verify hop.tls.test --insecure-skip-tls-verify strange.tls.test
# Through a proxy, where the tunnel's end is what counts.
mkfifo keep
exec 9<>keep
spawn proxy sh -c "exec python3 -u '$SERVERS/wire.py' --connect 200 3129 <keep"
wait_for 20 answers -x http://127.0.0.1:3129 -k https://good.tls.test/v2/ || fail "the proxy does not answer"
get 0 good.tls.test --proxy http://127.0.0.1:3129
get 3 old.tls.test --proxy http://127.0.0.1:3129
says "its certificate has expired"
get 0 old.tls.test --proxy http://127.0.0.1:3129 --insecure-skip-tls-verify old.tls.test
get 3 old.tls.test --proxy http://127.0.0.1:3129 --insecure-skip-tls-verify 127.0.0.1:3129

step "nothing of all this was plain"
same "plain connections" "$(plain)" 0

step "https stays https"
cases=0
stays() { # CODE HOST WORDS [OPTION...]
	stays_code=$1 stays_host=$2 stays_words=$3
	shift 3
	get "$stays_code" "$stays_host" "$@"
	says "$stays_words"
	sleep 0.2
	same "plain connections of $stays_host" "$(plain)" 0
	cases=$((cases + 1))
}
stays 3 good.tls.test:8441 "good.tls.test:8441"                     # closed in the handshake
stays 3 good.tls.test:8442 "good.tls.test:8442"                     # reset in the handshake
stays 3 good.tls.test:8445 "the TLS handshake failed"               # a TLS alert
stays 3 good.tls.test:8444 "does not speak TLS"                     # an HTTP error in plain text
stays 3 good.tls.test:8446 "does not speak TLS"                     # a whole registry in plain text
stays 3 10.9.9.9:5000 "does not speak TLS"                          # the same, at a private address
stays 3 loop.tls.test "cannot connect"                              # 443 closed, 80 open, a name of this machine
stays 3 two.tls.test "cannot connect"                               # a name of this machine and of another
stays 3 old.tls.test "has expired"                                  # 80 open
stays 3 other.tls.test "for another name"
stays 3 strange.tls.test "does not know"
stays 3 loop.tls.test "cannot connect" --insecure-skip-tls-verify loop.tls.test
stays 3 good.tls.test:8446 "does not speak TLS" --insecure-skip-tls-verify good.tls.test:8446
stays 3 location.tls.test "http"                                    # http:// in Location of a manifest
stays 3 blobs.tls.test "http"                                       # and of a blob
stays 4 realm.tls.test "which is not https; nothing was sent"                                       # a token service at http://
stays 3 loop.tls.test "cannot connect" --plain-http good.tls.test:8446
# To a proxy CONNECT goes in plain text; nothing else may.
get 3 good.tls.test --proxy http://127.0.0.1:3128
says "the proxy refuses the tunnel"
sleep 0.2
same "what the proxy was asked" "$(grep ' plain ' witness | grep -cv "^3128 plain [0-9]* 'CONNECT good.tls.test:443 ")" 0
grep -q '^3128 plain' witness || fail "the proxy was not asked"
sed -i '/^3128 /d' witness
cases=$((cases + 1))
[ "$cases" -ge 14 ] || fail "only $cases cases"
echo "$cases cases, $(plain) plain connections"
