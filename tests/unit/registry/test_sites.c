/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what this machine's docker, containerd and podman were told about a registry is understood as their owners
 * document it; a broken file is named and stops nothing; nobody is asked over http:// who was not written so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"
#include "registry/sites.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/imgpack-sites-XXXXXX";
static char warnings[8192];
static char notes[8192];

static void listen_to(void *ctx, const struct event *ev)
{
	char *to = ev->kind == EVENT_WARNING ? warnings : ev->kind == EVENT_NOTE ? notes : NULL;

	(void)ctx;
	if (to)
		snprintf(to + strlen(to), sizeof(warnings) - strlen(to), "%s\n", ev->text);
}

static const struct events events = { listen_to, NULL };

static const char *at(const char *name)
{
	static char paths[8][512];
	static size_t turn;
	char *path = paths[turn++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

/* The file and the folders above it. */
static void put(const char *name, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s", at(name));
	for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		(void)mkdir(path, 0755);
		*p = '/';
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int fresh(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	assert_non_null(mkdtemp(root));
	warnings[0] = notes[0] = '\0';
	return 0;
}

static int gone(void **state)
{
	char command[600];

	(void)state;
	snprintf(command, sizeof(command), "chmod -R u+rwX '%s'; rm -r '%s'", root, root);
	return system(command);
}

static int find(struct sites *out, const char *registry, struct err *e)
{
	const char *const daemon[] = { at("daemon.json"), NULL };
	const char *const docker[] = { at("docker/certs.d"), NULL };
	const char *const containerd[] = { at("containerd"), NULL };
	const char *const conf[] = { at("own.conf"), at("registries.conf"), NULL };
	const char *const conf_d[] = { at("conf.d"), NULL };
	const struct sites_places places = { daemon, docker, containerd, conf, conf_d };

	*out = (struct sites){ 0 };
	return sites_find(out, registry, &places, &events, e);
}

/* "HOST[API]/PREFIX" of each site, with marks: http, digest, origin, insecure, below, ns. */
static const char *told(const char *registry)
{
	static char text[4096];
	struct err e = { 0 };
	struct sites s;
	size_t len = 0;

	text[0] = '\0';
	if (find(&s, registry, &e)) {
		snprintf(text, sizeof(text), "%d: %s", e.kind, e.text);
		return text;
	}
	for (size_t i = 0; i < s.count; i++) {
		const struct site *a = &s.items[i];
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%s%s/%s%s%s%s%s%s%s%s", i ? " " : "",
					a->plain_http ? "http://" : "", a->host,
					strcmp(a->api_path, "/v2") ? a->api_path : "", a->repository_prefix,
					*a->below ? ",below=" : "", a->below, a->ns ? ",ns=" : "", a->ns ? a->ns : "",
					a->digest_only ? ",digest" : "", a->skip_verify ? ",insecure" : "",
					a->origin ? ",origin" : "");
		assert_true(*a->from);
	}
	if (s.no_origin)
		snprintf(text + len, sizeof(text) - len, " only");
	sites_release(&s);
	return text;
}

static void nothing_there(void **state)
{
	(void)state;
	assert_string_equal(told("docker.io"), "");
	assert_string_equal(told("quay.io"), "");
	assert_string_equal(warnings, "");
}

static void docker_mirrors(void **state)
{
	(void)state;
	put("daemon.json",
	    "{\"registry-mirrors\": [\"https://a.example\", \"http://b.example:5000/\", \"https://a.example:443\","
	    "\"https://c.example/path\", \"ftp://d.example\", 7, \"https://u:p@e.example\"], \"debug\": true}");
	assert_string_equal(told("docker.io"), "a.example/ http://b.example:5000/");
	assert_non_null(strstr(warnings, "daemon.json"));
	assert_non_null(strstr(warnings, "without a path"));
	assert_non_null(strstr(warnings, "https:// or http://"));
	assert_non_null(strstr(warnings, "no text"));
	assert_null(strstr(warnings, "u:p"));
	assert_string_equal(told("quay.io"), "");
}

static void docker_insecure(void **state)
{
	(void)state;
	put("daemon.json", "{\"insecure-registries\": [\"reg.example:5000\", \"10.0.0.0/8\", \"m.example\"],"
			   "\"registry-mirrors\": [\"https://m.example\"]}");
	assert_string_equal(told("reg.example:5000"), "reg.example:5000/,insecure,origin");
	assert_non_null(strstr(notes, "--plain-http reg.example:5000"));
	assert_string_equal(told("reg.example"), "");
	assert_string_equal(told("10.1.2.3"), "");
	assert_string_equal(told("docker.io"), "m.example/,insecure");
}

static void docker_certificates(void **state)
{
	struct sites s;
	struct err e = { 0 };

	(void)state;
	put("docker/certs.d/reg.example:5000/b.crt", "");
	put("docker/certs.d/reg.example:5000/a.crt", "");
	put("docker/certs.d/reg.example:5000/x.cert", "");
	put("docker/certs.d/reg.example:5000/y.cert", "");
	put("docker/certs.d/reg.example:5000/y.key", "");
	put("docker/certs.d/docker.io/hub.crt", "");
	assert_int_equal(find(&s, "reg.example:5000", &e), 0);
	assert_int_equal(s.count, 1);
	assert_true(s.items[0].origin);
	assert_string_equal(s.items[0].cacerts[0], at("docker/certs.d/reg.example:5000/a.crt"));
	assert_string_equal(s.items[0].cacerts[1], at("docker/certs.d/reg.example:5000/b.crt"));
	assert_null(s.items[0].cacerts[2]);
	assert_string_equal(s.items[0].cert, at("docker/certs.d/reg.example:5000/y.cert"));
	assert_string_equal(s.items[0].key, at("docker/certs.d/reg.example:5000/y.key"));
	assert_non_null(strstr(warnings, "x.cert has no .key"));
	sites_release(&s);
	assert_string_equal(told("reg.example"), "");
	assert_string_equal(told("docker.io"), "registry-1.docker.io/,origin");
}

static void containerd_hosts(void **state)
{
	struct sites s;
	struct err e = { 0 };

	(void)state;
	put("containerd/docker.io/hosts.toml",
	    "server = \"https://registry-1.docker.io\"\n\n"
	    "[host.\"https://z.example\"]\n  capabilities = [\"pull\"]\n"
	    "[host.\"http://a.example:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n  skip_verify = true\n"
	    "[host.\"https://art.example/artifactory/api/docker/x/v2\"]\n  override_path = true\n"
	    "  ca = [\"one.pem\", \"/etc/two.pem\"]\n  client = [[\"c.pem\", \"k.pem\"], [\"d.pem\", \"\"]]\n"
	    "[host.\"https://deep.example/some/path\"]\n[host.\"https://v2.example/v2\"]\n"
	    "[host.\"https://raw.example\"]\noverride_path = true\n"
	    "[host.\"https://push.example\"]\n  capabilities = [\"push\"]\n"
	    "[host.\"https://head.example\"]\n  [host.\"https://head.example\".header]\n    x-y = \"z\"\n");
	assert_string_equal(
		told("docker.io"),
		"z.example/,ns=docker.io,digest http://a.example:5000/,ns=docker.io,insecure "
		"art.example/artifactory/api/docker/x/v2/,ns=docker.io "
		"deep.example/some/path/v2/,ns=docker.io v2.example/,ns=docker.io raw.example/,ns=docker.io "
		"head.example/,ns=docker.io");
	assert_non_null(strstr(warnings, "\"header\" of https://head.example"));
	assert_int_equal(find(&s, "docker.io", &e), 0);
	assert_string_equal(s.items[2].cacerts[0], at("containerd/docker.io/one.pem"));
	assert_string_equal(s.items[2].cacerts[1], "/etc/two.pem");
	assert_string_equal(s.items[2].cert, at("containerd/docker.io/c.pem"));
	assert_string_equal(s.items[2].key, at("containerd/docker.io/k.pem"));
	assert_string_equal(s.items[5].api_path, "");
	sites_release(&s);
}

static void containerd_folders(void **state)
{
	(void)state;
	put("containerd/_default/hosts.toml", "[host.\"https://all.example\"]\n");
	put("containerd/one.example_5000_/hosts.toml", "server = \"https://only.example\"\nskip_verify = true\n");
	put("containerd/one.example:5000/hosts.toml", "[host.\"https://not.example\"]\n");
	put("containerd/two.example:5000/hosts.toml", "ca = \"ca.pem\"\n[host.\"https://two.example:5000\"]\n");
	put("containerd/three.example/ca.crt", "");
	put("containerd/four.example/hosts.toml", "");
	assert_string_equal(told("any.example"), "all.example/,ns=any.example");
	assert_string_equal(told("one.example:5000"), "only.example/,ns=one.example:5000,insecure only");
	assert_string_equal(told("two.example:5000"), "two.example:5000/,origin");
	assert_string_equal(told("three.example"), "three.example/,origin");
	assert_string_equal(told("four.example"), "");
}

static void podman_mirrors(void **state)
{
	(void)state;
	put("registries.conf",
	    "unqualified-search-registries = [\"docker.io\"]\nshort-name-mode=\"permissive\"\n"
	    "[[registry]]\nprefix = \"docker.io\"\nlocation = \"docker.io\"\n"
	    "[[registry.mirror]]\nlocation = \"m.example:5000/hub\"\ninsecure = true\n"
	    "[[registry.mirror]]\nlocation = \"n.example\"\npull-from-mirror = \"digest-only\"\n"
	    "[[registry.mirror]]\nlocation = \"localhost:5000\"\n"
	    "[[registry]]\nlocation = \"self.example\"\ninsecure = true\n"
	    "[[registry]]\nprefix = \"moved.example\"\nlocation = \"new.example/place\"\n"
	    "[[registry]]\nprefix = \"no.example\"\nblocked = true\n"
	    "[[registry]]\nprefix = \"*.wild.example\"\nmirror-by-digest-only = true\n"
	    "[[registry.mirror]]\nlocation = \"w.example\"\n"
	    "[[registry]]\nprefix = \"part.example\"\n[[registry.mirror]]\nlocation = \"p.example\"\n"
	    "[[registry]]\nprefix = \"part.example/team\"\n[[registry.mirror]]\nlocation = \"t.example/x\"\n");
	assert_string_equal(told("docker.io"), "m.example:5000/hub,insecure n.example/,digest http://localhost:5000/");
	assert_string_equal(told("self.example"), "self.example/,insecure,origin");
	assert_string_equal(told("moved.example"), "new.example/place only");
	assert_non_null(strstr(told("no.example"), "4: no.example is blocked"));
	assert_string_equal(told("a.b.wild.example"), "w.example/,digest");
	assert_string_equal(told("wild.example"), "");
	assert_string_equal(told("part.example"), "p.example/ t.example/x,below=team");
	assert_string_equal(told("art.example"), "");
	assert_string_equal(told("part.example.org"), "");
	assert_string_equal(warnings, "");
}

static void podman_files(void **state)
{
	(void)state;
	put("registries.conf",
	    "[[registry]]\nlocation = \"a.example\"\n[[registry.mirror]]\nlocation = \"sys.example\"\n"
	    "[[registry]]\nlocation = \"b.example\"\n[[registry.mirror]]\nlocation = \"sys.example\"\n");
	assert_string_equal(told("a.example"), "sys.example/");
	put("conf.d/50.conf",
	    "[[registry]]\nlocation = \"a.example\"\n[[registry.mirror]]\nlocation = \"drop.example\"\n");
	put("conf.d/60.conf.bak", "[[registry]]\nlocation = \"a.example\"\nblocked = true\n");
	assert_string_equal(told("a.example"), "drop.example/");
	assert_string_equal(told("b.example"), "sys.example/");
	put("own.conf", "[[registry]]\nlocation = \"c.example\"\n[[registry.mirror]]\nlocation = \"own.example\"\n");
	assert_string_equal(told("b.example"), "");
	assert_string_equal(told("c.example"), "own.example/");
}

static void twice_is_once(void **state)
{
	(void)state;
	put("daemon.json", "{\"registry-mirrors\": [\"https://m.example\"]}");
	put("containerd/docker.io/hosts.toml", "[host.\"https://M.example\"]\n[host.\"https://n.example\"]\n");
	put("registries.conf", "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"m.example\"\n"
			       "[[registry.mirror]]\nlocation = \"m.example/hub\"\n");
	assert_string_equal(told("docker.io"), "m.example/ n.example/,ns=docker.io m.example/hub");
}

static void broken_files(void **state)
{
	static const char *const hosts[] = {
		"[host.\"https://m.example\"\n",
		"[host.\"https://m.example\"]\ncapabilities = [\"fly\"]\n",
		"[host.\"https://m.example\"]\nskip_verify = \"yes\"\n",
		"[host.\"https://m.example\"]\nca = 7\n",
		"[host.\"https://m.example\"]\nclient = [[\"a\"]]\n",
		"[host.\"ssh://m.example\"]\n",
		"[host.\"https://\"]\n",
		"host = 1\n",
		"server = 1\n",
	};

	(void)state;
	put("daemon.json", "{\"registry-mirrors\": [\"https://good.example\"]}");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		warnings[0] = '\0';
		put("containerd/docker.io/hosts.toml", hosts[i]);
		if (strcmp(told("docker.io"), "good.example/") != 0)
			fail_msg("%s: %s", hosts[i], told("docker.io"));
		assert_non_null(strstr(warnings, "/docker.io/hosts.toml: "));
		assert_non_null(strstr(warnings, "not used"));
	}
	warnings[0] = '\0';
	put("registries.conf", "[[registry]]\nlocation = \"docker.io\"\n\nlocation = \"x\"\n");
	put("daemon.json", "{\n\"registry-mirrors\": \"x\"}");
	assert_string_equal(told("docker.io"), "");
	assert_non_null(strstr(warnings, "registries.conf: line 4: "));
	assert_non_null(strstr(warnings, "daemon.json: "));
	warnings[0] = '\0';
	put("daemon.json", "{\n\"registry-mirrors\": [}");
	put("registries.conf",
	    "[[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"m.example\"\ninsecure = 1\n"
	    "[[registry]]\nlocation = \"q.example\"\n[[registry.mirror]]\nlocation = \"m.example\"\n");
	assert_string_equal(told("docker.io"), "");
	assert_non_null(strstr(warnings, "daemon.json: JSON, line 2"));
	assert_non_null(strstr(warnings, "[[registry]] of \"docker.io\""));
	assert_string_equal(told("q.example"), "m.example/");
}

static void unreadable(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("daemon.json"), 0755), 0);
	put("docker/certs.d/reg.example", "a file, not a folder");
	assert_string_equal(told("reg.example"), "");
	assert_non_null(strstr(warnings, "daemon.json: is not a regular file"));
	/* Root may open what nobody may, so a test that runs as root is nobody for a while. */
	warnings[0] = '\0';
	assert_int_equal(rmdir(at("daemon.json")), 0);
	put("registries.conf", "");
	put("docker/certs.d/closed.example/a.crt", "");
	assert_int_equal(chmod(at("registries.conf"), 0), 0);
	assert_int_equal(chmod(at("docker/certs.d/closed.example"), 0), 0);
	assert_int_equal(chmod(root, 0755), 0);
	uid_t me = geteuid();
	if (!me)
		assert_int_equal(seteuid(65534), 0);
	const char *found = told("closed.example");
	assert_int_equal(seteuid(me), 0);
	assert_string_equal(found, "");
	assert_non_null(strstr(warnings, "registries.conf: cannot be opened"));
	assert_non_null(strstr(warnings, "closed.example: cannot be opened"));
}

static void large_files(void **state)
{
	char *big = malloc(LIMIT_SETTINGS + 2);

	(void)state;
	assert_non_null(big);
	memset(big, '#', LIMIT_SETTINGS + 1);
	big[LIMIT_SETTINGS] = '\0';
	put("registries.conf", big);
	assert_string_equal(told("a.example"), "");
	assert_string_equal(warnings, "");
	big[LIMIT_SETTINGS] = '#';
	big[LIMIT_SETTINGS + 1] = '\0';
	put("registries.conf", big);
	assert_string_equal(told("a.example"), "");
	assert_non_null(strstr(warnings, "is larger than"));
	free(big);
}

static void names_at_a_site(void **state)
{
	static const struct {
		const char *repository;
		int which;
		const char *name; /* NULL: not served */
	} cases[] = {
		{ "x/y", 0, "x/y" },          { "x/y", 1, NULL },   { "team/app", 0, NULL },
		{ "team/app", 1, "t/x/app" }, { "team", 1, "t/x" }, { "teams/app", 0, "teams/app" },
		{ "teams/app", 1, NULL },
	};
	struct sites s;
	struct err e = { 0 };

	(void)state;
	put("registries.conf",
	    "[[registry]]\nprefix = \"part.example\"\n[[registry.mirror]]\nlocation = \"p.example\"\n"
	    "[[registry]]\nprefix = \"part.example/team\"\n[[registry.mirror]]\nlocation = \"t.example/t/x\"\n");
	assert_int_equal(find(&s, "part.example", &e), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF name = { 0 };
		int rc = sites_repository(&s, &s.items[cases[i].which], cases[i].repository, &name, &e);
		assert_int_equal(rc, cases[i].name != NULL);
		if (rc)
			assert_string_equal(name.data, cases[i].name);
	}
	sites_release(&s);
}

static void mirror_option(void **state)
{
	static const struct {
		const char *text;
		const char *registry; /* NULL: refused with `host` in the sentence */
		const char *host;
		const char *prefix;
		bool http;
	} cases[] = {
		{ "docker.io=m.example", "docker.io", "m.example", "", false },
		{ "index.docker.io=https://m.example:5000/a/b/", "docker.io", "m.example:5000", "a/b", false },
		{ "registry-1.docker.io=http://m.example", "docker.io", "m.example", "", true },
		{ "quay.io=localhost:5000/quay", "quay.io", "localhost:5000", "quay", true },
		{ "quay.io=https://localhost:5000", "quay.io", "localhost:5000", "", false },
		{ "q:5000=127.0.0.1", "q:5000", "127.0.0.1", "", true },
		{ "q:5000=[::1]:5000", "q:5000", "[::1]:5000", "", true },
		{ "quay.io", NULL, "there is no =", "", false },
		{ "=m.example", NULL, "left of =", "", false },
		{ "quay.io=", NULL, "not HOST or HOST:PORT", "", false },
		{ "quay.io=ftp://m.example", NULL, "https:// or http://", "", false },
		{ "quay.io=m.example/Upper", NULL, "PATH", "", false },
		{ "quay.io=m.example/a?b", NULL, "query", "", false },
		{ "quay.io=u:p@m.example", NULL, "no user", "", false },
		{ "quay.io/x=m.example", NULL, "left of =", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		struct site site = { 0 };
		char *registry = NULL;
		int rc = sites_parse_mirror(cases[i].text, &registry, &site, &e);
		if (!cases[i].registry) {
			assert_int_equal(rc, -1);
			assert_int_equal(e.kind, ERR_USAGE);
			if (!strstr(e.text, cases[i].host) || !strstr(e.text, "docker.io=mirror.local/dockerhub"))
				fail_msg("%s", e.text);
			continue;
		}
		if (rc)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_string_equal(registry, cases[i].registry);
		assert_string_equal(site.host, cases[i].host);
		assert_string_equal(site.repository_prefix, cases[i].prefix);
		assert_string_equal(site.api_path, "/v2");
		assert_int_equal(site.plain_http, cases[i].http);
		free(registry);
		site_release(&site);
	}
}

static void trust_names_the_file(void **state)
{
	struct sites s;
	struct err e = { 0 };

	(void)state;
	put("docker/certs.d/reg.example/a.crt", "not a certificate");
	assert_int_equal(find(&s, "reg.example", &e), 0);
	AUTO(http) h = http_new(NULL, &e);
	assert_non_null(h);
	assert_int_equal(site_trust(&s.items[0], h, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "reg.example: "));
	assert_non_null(strstr(e.text, "/reg.example/a.crt: has no certificate"));
	assert_int_equal(unlink(at("docker/certs.d/reg.example/a.crt")), 0);
	assert_int_equal(site_trust(&s.items[0], h, &e), -1);
	assert_non_null(strstr(e.text, "a.crt: cannot open: No such file"));
	sites_release(&s);
}

/* The places that nobody names: below HOME, and podman's variable. */
static void standard_places(void **state)
{
	struct sites s = { 0 };
	struct err e = { 0 };

	(void)state;
	put("home/.config/docker/daemon.json", "{\"registry-mirrors\": [\"https://rootless.example\"]}");
	put("home/.config/docker/certs.d/own.example/ca.crt", "");
	put("home/.config/containers/registries.conf",
	    "[[registry]]\nlocation = \"own.example\"\n[[registry.mirror]]\nlocation = \"m.example\"\n");
	put("other.conf", "[[registry]]\nlocation = \"own.example\"\n[[registry.mirror]]\nlocation = \"o.example\"\n");
	setenv("HOME", at("home"), 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	assert_int_equal(sites_find(&s, "docker.io", NULL, &events, &e), 0);
	assert_true(s.count > 0);
	assert_string_equal(s.items[0].host, "rootless.example");
	sites_release(&s);
	assert_int_equal(sites_find(&s, "own.example", NULL, &events, &e), 0);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.items[0].host, "m.example");
	assert_true(s.items[1].origin && s.items[1].cacerts);
	sites_release(&s);
	setenv("CONTAINERS_REGISTRIES_CONF", at("other.conf"), 1);
	assert_int_equal(sites_find(&s, "own.example", NULL, &events, &e), 0);
	assert_string_equal(s.items[0].host, "o.example");
	sites_release(&s);
	unsetenv("CONTAINERS_REGISTRIES_CONF");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_there),    TEST(docker_mirrors),     TEST(docker_insecure),      TEST(docker_certificates),
		TEST(containerd_hosts), TEST(containerd_folders), TEST(podman_mirrors),       TEST(podman_files),
		TEST(twice_is_once),    TEST(broken_files),       TEST(unreadable),           TEST(large_files),
		TEST(names_at_a_site),  TEST(mirror_option),      TEST(trust_names_the_file), TEST(standard_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
