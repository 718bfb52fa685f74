/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SITES_H
#define REGISTRY_SITES_H

/*
 * Where else a registry's content may be asked for, and with which certificates: what this machine's docker, containerd
 * and podman were told, as their owners document it.
 *
 *   docker      daemon.json: registry-mirrors (Docker Hub only), insecure-registries (the certificate is not checked;
 *               plain HTTP takes --plain-http, which a note says); certs.d/HOST[:PORT]/ with *.crt, *.cert, *.key
 *   containerd  certs.d/HOST_PORT_, HOST:PORT or _default: hosts.toml, or without one the files docker has
 *   podman      registries.conf and the files of registries.conf.d (which win): [[registry]], [[registry.mirror]];
 *               certs.d as docker's
 *
 * http:// is used only where the file says http://, or for a host that is local (reference_registry_is_local()) where
 * it names no scheme; `insecure` means: the certificate is not checked.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/events.h"
#include "http/http.h"

#include <stdbool.h>
#include <stddef.h>

struct site {
	char *host;              /* HOST[:PORT]; of docker.io itself: registry-1.docker.io */
	bool plain_http;         /* http:// was written, or a local host without a scheme */
	char *api_path;          /* "/v2", or containerd's override_path: "/artifactory/api/docker/x/v2" */
	char *below;             /* only repositories that are this or stand below it, and it is cut off; "" all */
	char *repository_prefix; /* in front of what is left: "dockerhub" -> dockerhub/library/nginx; "" */
	char *ns;                /* containerd's ns= query value (the registry's own name), or NULL */
	char **cacerts;          /* NULL-terminated files (PEM) that count beside the system's, or NULL */
	char *cert, *key;        /* files (PEM), or NULL; the key may stand in cert */
	bool skip_verify;
	bool digest_only; /* trusted with content, not with what a tag means: ask by digest */
	bool by_part;     /* registries.conf's: of those, only the ones with the longest `below` serve a repository */
	bool origin;      /* the registry itself: only its TLS settings are said */
	char *from;       /* the file that says so, for messages; "" of a --mirror */
};

struct sites {
	struct site *items; /* in the order to ask; the origin, if it is there, stands last */
	size_t count;
	size_t capacity;
	bool no_origin; /* the registry itself is not to be asked: hosts.toml has another `server`, or `location` */
};

/* Files and folders, each list NULL-terminated, the first counts most; NULL: nothing of the kind. */
struct sites_places {
	const char *const *daemon_json;
	const char *const *docker_certs; /* folders of HOST[:PORT] folders */
	const char *const *containerd_certs;
	const char *const *registries_conf; /* the first file that is there counts alone */
	const char *const
		*registries_conf_d; /* folders of *.conf; of two [[registry]] with one prefix the last counts */
};

/*
 * What is configured for `registry` ("docker.io", "host:port"). `places` NULL: this user's and the system's. Files that
 * are absent say nothing; one that is broken or unreadable is a warning that names file and line, and says nothing
 * either. What two files say of one host, path and prefix counts once, the first. 0 and *out, or -1: ERR_LOCAL
 * (memory), ERR_DENIED (registries.conf says blocked = true). The files of certificates are not opened here:
 * site_trust().
 */
int sites_find(struct sites *out, const char *registry, const struct sites_places *places, const struct events *events,
	       struct err *e);
void sites_release(struct sites *s);

/*
 * The option --mirror REGISTRY=[http[s]://]HOST[:PORT][/PATH]: *registry is what is replaced ("docker.io" for all names
 * of Docker Hub), allocated; PATH is out->repository_prefix. ERR_USAGE with what would be right.
 */
int sites_parse_mirror(const char *text, char **registry, struct site *out, struct err *e);
void site_release(struct site *s);

/*
 * The name of `repository` at this site, appended to *name. 1, or 0 if it does not serve it: it is not `below`, or
 * registries.conf has another of `all` for a narrower part of the registry. -1: out of memory.
 */
int sites_repository(const struct sites *all, const struct site *s, const char *repository, struct buf *name,
		     struct err *e);

/* Tells `h` this site's certificates, if it has any to tell. ERR_LOCAL names the file that cannot be used. */
int site_trust(const struct site *s, struct http *h, struct err *e);

#endif
