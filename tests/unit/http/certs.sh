#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sh certs.sh DIR: an authority (ca.pem) and certificates signed by it, each NAME.pem with NAME.key, good and bad ones.
set -eu
cd "$1"
exec >log 2>&1
cat >ca.cnf <<END
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
END
: >index.txt
echo 01 >serial
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $key -days 30 -subj /CN=authority -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE
leaf() { # NAME ALTERNATIVES FROM TO
	openssl req $key -subj "/CN=$1" -addext "subjectAltName=$2" -keyout "$1.key" -out "$1.csr"
	openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key -startdate "$3" -enddate "$4" \
		-in "$1.csr" -out "$1.pem"
}
leaf good 'IP:127.0.0.1,DNS:localhost,DNS:registry.test,DNS:*.tls.test' 20200101000000Z 20900101000000Z
leaf old 'IP:127.0.0.1,DNS:*.tls.test' 20200101000000Z 20200201000000Z
leaf early 'IP:127.0.0.1,DNS:*.tls.test' 20800101000000Z 20900101000000Z
leaf other DNS:other.test 20200101000000Z 20900101000000Z
openssl ec -in good.key -aes128 -passout pass:secret -out locked.key
# Another authority, and what it signed for the same names; NAME.der is how some hand out their authority.
openssl req -x509 $key -days 30 -subj /CN=second -keyout second.key -out second.pem -addext basicConstraints=critical,CA:TRUE
openssl req $key -subj /CN=strange -addext "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.tls.test" -keyout strange.key -out strange.csr
openssl x509 -req -in strange.csr -CA second.pem -CAkey second.key -CAcreateserial -days 30 -copy_extensions copy -out strange.pem
openssl x509 -in second.pem -outform der -out second.der
openssl req -x509 $key -days 30 -subj /CN=alone -addext "subjectAltName=IP:127.0.0.1,DNS:*.tls.test" -addext basicConstraints=critical,CA:FALSE \
	-keyout alone.key -out alone.pem
