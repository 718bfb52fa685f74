/* SPDX-License-Identifier: Apache-2.0 */
#include "target/docker_host.h"

#include "base/own.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define DEFAULT_HOST "unix:///var/run/docker.sock"
#define TLS_HINT "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH if it speaks TLS"

/* An empty variable is none, as for docker. */
static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int parse_unix(struct docker_host *h, const char *path, struct err *e)
{
	if (*path != '/')
		return err_set(e, ERR_USAGE, "%s: a unix socket is written unix:///path", h->text);
	if (strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return err_set(e, ERR_USAGE, "%s: the path is longer than a socket's may be", h->text);
	h->socket = strdup(path);
	h->url = strdup("http://docker");
	return h->socket && h->url ? 0 : err_memory(e);
}

/* folder/name into *out, if that is a file. */
static int find_file(char **out, const char *folder, const char *name, struct err *e)
{
	AUTO_MEM char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		path = NULL;
		return err_memory(e);
	}
	if (!stat(path, &st) && S_ISREG(st.st_mode))
		*out = TAKE(path);
	return 0;
}

/*
 * docker's client takes DOCKER_TLS for "TLS without checking the certificate"; here it is checked all the same. A
 * client certificate is optional, the authority is not: a daemon's certificate is nearly always a private one.
 */
static int find_certificates(struct docker_host *h, struct err *e)
{
	AUTO_MEM char *folder = NULL;
	const char *named = env("DOCKER_CERT_PATH");
	const char *home = env("HOME");

	if (named)
		folder = strdup(named);
	else if (asprintf(&folder, "%s/.docker", home ? home : "") < 0)
		folder = NULL;
	if (!folder)
		return err_memory(e);
	if (find_file(&h->cacert, folder, "ca.pem", e) || find_file(&h->cert, folder, "cert.pem", e) ||
	    find_file(&h->key, folder, "key.pem", e))
		return -1;
	if (!h->cacert)
		return err_set(e, ERR_LOCAL, "%s: no ca.pem in %s; DOCKER_CERT_PATH names the folder", h->text, folder);
	return 0;
}

static int parse_tcp(struct docker_host *h, const char *rest, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
	size_t len = strspn(rest, allowed);
	const char *bracket = memrchr(rest, ']', len);
	const char *port = memchr(bracket ? bracket : rest, ':', len - (size_t)(bracket ? bracket - rest : 0));
	uint64_t number;

	if (!len || (rest[len] && strcmp(rest + len, "/") != 0) || port == rest)
		return err_set(e, ERR_USAGE, "%s: a TCP address is written tcp://host:port", h->text);
	if (port && (!text_parse_u64(port + 1, len - (size_t)(port + 1 - rest), 65535, &number) || !number))
		return err_set(e, ERR_USAGE, "%s: the port is no number from 1 to 65535", h->text);
	h->tls = env("DOCKER_TLS_VERIFY") || env("DOCKER_TLS");
	if (asprintf(&h->url, "%s://%.*s%s", h->tls ? "https" : "http", (int)len, rest,
		     port ? "" : (h->tls ? ":2376" : ":2375")) < 0) {
		h->url = NULL;
		return err_memory(e);
	}
	return h->tls ? find_certificates(h, e) : 0;
}

int docker_host_parse(struct docker_host *out, const char *host, struct err *e)
{
	if (!host)
		host = env("DOCKER_HOST");
	if (!host)
		host = DEFAULT_HOST;
	(void)text_escape_str(out->text, sizeof(out->text), host);
	if (text_starts(host, "unix://"))
		return parse_unix(out, host + strlen("unix://"), e);
	if (text_starts(host, "tcp://"))
		return parse_tcp(out, host + strlen("tcp://"), e);
	if (text_starts(host, "ssh://"))
		return err_set(e, ERR_USAGE,
			       "%s: daemons behind ssh are not reached directly; forward the socket (ssh -N -L "
			       "/tmp/d.sock:/var/run/docker.sock HOST) and set DOCKER_HOST=unix:///tmp/d.sock",
			       out->text);
	if (text_starts(host, "npipe://"))
		return err_set(e, ERR_USAGE,
			       "%s: Windows pipes are not supported; let the daemon listen on tcp:// or unix://",
			       out->text);
	return err_set(e, ERR_USAGE, "%s: is no address of a docker daemon; write unix:///path or tcp://host:port",
		       out->text);
}

#define PODMAN_SOCKET "/podman/podman.sock"
#define PODMAN_ROOT_SOCKET "/run" PODMAN_SOCKET

/* This user's podman listens there, if it runs as a service. */
static char *own_podman(void)
{
	const char *runtime = env("XDG_RUNTIME_DIR");
	char *path;

	if (runtime ? asprintf(&path, "unix://%s" PODMAN_SOCKET, runtime) < 0
		    : asprintf(&path, "unix:///run/user/%u" PODMAN_SOCKET, (unsigned)geteuid()) < 0)
		return NULL;
	return path;
}

int docker_host_podman(struct docker_host *out, struct err *e)
{
	const char *root = "unix://" PODMAN_ROOT_SOCKET;
	const char *host = env("CONTAINER_HOST");
	AUTO_MEM char *own = own_podman();

	if (!own)
		return err_memory(e);
	if (!host) {
		const char *first = geteuid() ? own : root;
		const char *second = geteuid() ? root : own;
		host = !access(first + strlen("unix://"), F_OK) || access(second + strlen("unix://"), F_OK) ? first
													    : second;
	}
	out->podman = true;
	return docker_host_parse(out, host, e);
}

void docker_host_release(struct docker_host *h)
{
	free(h->socket);
	free(h->url);
	free(h->cacert);
	free(h->cert);
	free(h->key);
}

/* podman needs no daemon, so its users mostly have none running. */
static int explain_podman(struct err *e)
{
	const char *start = geteuid() ? "systemctl --user start podman.socket" : "systemctl start podman.socket";

	return err_hint(e,
			"podman's service is started by `%s`, or without systemd by `podman system service -t 0 &`; "
			"CONTAINER_HOST names another socket",
			start);
}

int docker_host_explain(const struct docker_host *h, struct err *e)
{
	if (!e || e->kind != ERR_NETWORK)
		return -1;
	if (h->podman)
		return explain_podman(e);
	if (!h->socket)
		return h->tls ? err_hint(e, "does a daemon listen there?")
			      : err_hint(e, "does a daemon listen there? " TLS_HINT);
	if (!access(h->socket, R_OK | W_OK))
		return err_hint(e, "is the daemon running?");
	if (errno == EACCES || errno == EPERM)
		return err_hint(e, "this user may not use the socket: join the group docker, or use sudo");
	return err_hint(e, "is docker installed and running? DOCKER_HOST names another socket");
}
