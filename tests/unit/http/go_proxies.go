// SPDX-License-Identifier: Apache-2.0

// What Go's httpproxy decides, as a table for test_proxy.c. To write it anew (Debian: golang-go, golang-golang-x-net-dev):
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tests/unit/http/go_proxies.go >tests/unit/http/go_proxies.h
package main

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

var proxies = []string{"http://p:1", "https://p:1", "socks5h://p:1"}

var forms = []string{
	"quay.io",
	".quay.io",
	"*.quay.io",
	"quay.io:8443",
	".quay.io:443",
	"*",
	"10.0.0.0/8",
	"10.1.2.3",
	"10.1.2.3:5000",
	"fd00::/8",
	"fd00::1",
	"[fd00::1]:5000",
	"",
	"a.b, quay.io ,c.d",
	"a.b quay.io c.d",
	"a.b,*,c.d",
	" * ",
	"**",
	"*quay.io",
	"QUAY.IO",
	"quay.io.",
	"quay.io:",
	":443",
	"quay.io:abc",
	"quay.io:443",
	"quay.io:80",
	"io",
	".io",
	".",
	",,,",
	"uay.io",
	"http://quay.io",
	"quay.io/",
	"10.0.0.0/33",
	"10.0.0.0/",
	"10.1.2.3/0",
	"0.0.0.0/0",
	"::/0",
	"10.1.2.0/30",
	"10.1.2.3/32",
	"::ffff:10.0.0.0/104",
	"::ffff:10.1.2.3",
	"[fd00::1]",
	"fd00::1:5000",
	"[fd00::1]:5001",
	"FD00::1",
	"fd00:0::1",
	"10.1.2",
	"10.*",
	"10.01.2.3",
	"010.1.2.3",
	"localhost",
	"*.quay.io:443",
	"*.quay.io:444",
	"[quay.io]:443",
	"::1",
	"quay.io:443:",
	"10.1.2.3:",
	"10.1.2.3:443",
	"::ffff:0:0/96",
	" quay.io , 10.1.2.3 ",
	"*.QUAY.io",
	"a b quay.io",
	"quay.io 10.1.2.3",
	"x,*",
	",,",
	"*.",
	"..quay.io",
	".2.3",
	"*.1.2.3",
	"2.3:443",
	"bücher.example",
	"BÜCHER.example",
	".bücher.example",
	"*.bücher.example:443",
	"bü_cher.example",
	"xn--bcher-kva.example",
	"example",
	"*example",
	"quay.io/path",
	"[quay.io]",
	"quay.io:http",
	"127.0.0.1",
	"10.1.2.3/8",
	"[10.1.2.3]:443",
}

var urls = []string{
	"http://quay.io/",
	"https://quay.io/",
	"https://quay.io:8443/",
	"https://cdn.quay.io/",
	"https://notquay.io/",
	"https://10.1.2.3/",
	"https://10.1.2.3:5000/",
	"https://[fd00::1]/",
	"https://[fd00::1]:5000/",
	"https://[::ffff:10.1.2.3]/",
	"http://localhost/",
	"https://localhost:5000/",
	"http://127.0.0.1/",
	"https://127.9.9.9:1/",
	"https://[::1]:5000/",
	"https://[::ffff:127.0.0.1]/",
	"https://QUAY.io/",
	"https://quay.io./",
	"https://192.0.2.1/",
	"https://10.1.2.4/",
	"https://x.localhost/",
	"https://localhost./",
	"https://127.0.0.1.nip.io/",
	"https://localhost/",
	"https://sub.localhost/",
	"https://xn--bcher-kva.example/",
	"https://cdn.xn--bcher-kva.example/",
	"http://10.1.2.3:443/",
	"https://127.0.0.1:5000/",
	"https://[::1]/",
	"https://fd00.example/",
}

func decide(proxy, noProxy, text string) string {
	u, err := url.Parse(text)
	if err != nil {
		panic(err)
	}
	config := httpproxy.Config{HTTPProxy: proxy, HTTPSProxy: proxy, NoProxy: noProxy}
	chosen, err := config.ProxyFunc()(u)
	if err != nil {
		panic(err)
	}
	if chosen == nil {
		return "-"
	}
	return "p"
}

func main() {
	fmt.Println("/* SPDX-License-Identifier: Apache-2.0 */")
	fmt.Println("/* Written by go_proxies.go: what Go decides for each URL, 'p' through the proxy, '-' straight. */")
	fmt.Println("/* clang-format off */")
	fmt.Println("static const char *const go_urls[] = {")
	for _, u := range urls {
		fmt.Printf("\t\"%s\",\n", u)
	}
	fmt.Println("};")
	fmt.Println("static const struct {")
	fmt.Println("\tconst char *proxy;\n\tconst char *no_proxy;\n\tconst char *decisions;")
	fmt.Println("} go_decisions[] = {")
	for _, p := range proxies {
		for _, f := range forms {
			var row strings.Builder
			for _, u := range urls {
				row.WriteString(decide(p, f, u))
			}
			fmt.Printf("\t{ \"%s\", \"%s\", \"%s\" },\n", p, f, row.String())
		}
	}
	fmt.Println("};")
	fmt.Println("/* clang-format on */")
}
