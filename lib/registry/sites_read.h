/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SITES_READ_H
#define REGISTRY_SITES_READ_H

/* Between sites.c and the files that each know one owner's configuration: sites_docker.c, _containerd.c, _podman.c. */

#include "oci/json.h"
#include "registry/sites.h"

#define SITES_HUB "docker.io"
#define SITES_HUB_HOST "registry-1.docker.io"

/* One search, and what it has found. */
struct sites_search {
	const char *registry;
	const char *origin; /* host where the registry itself is asked */
	const struct events *events;
	struct sites *out;
	struct site itself; /* what is said of the registry itself */
	char **insecure;    /* daemon.json's insecure-registries, NULL-terminated */
	struct err *e;
};

/* True for every name of Docker Hub. */
bool sites_is_hub(const char *host);
/* True if `host` is where the registry itself is asked. */
bool sites_is_origin(const struct sites_search *s, const char *host);

/*
 * "[http[s]://]HOST[:PORT][/PATH]" apart; *path is allocated, without slashes at its ends. Sets out->host and
 * out->plain_http. ERR_USAGE without the text itself in the message.
 */
int sites_parse_place(const char *text, struct site *out, char **path, struct err *e);

/* "/v2", "" and "" for what nobody said. */
int sites_complete(struct site *s, struct err *e);

/* strdup() into *out, whose old content is freed; NULL is copied as NULL. */
int sites_text(char **out, const char *text, struct err *e);
int sites_add_file(char ***list, const char *folder, const char *name, struct err *e);
void sites_free_list(char **list);

/* Appends, unless one with the same host, path, prefix and part is there. *site is empty afterwards, on failure too. */
int sites_add(struct sites *to, struct site *site /* taken */, struct err *e);

/*
 * The whole file: 1 and *out, 0 if it is not there, -1 if it cannot be read (*e says why, without the path).
 * LIMIT_SETTINGS.
 */
int sites_read_file(const char *path, struct buf *out, struct err *e);
/* The names in a folder that end so, sorted, NULL-terminated: 1 and *out, 0 not there, -1. */
int sites_read_folder(const char *path, const char *suffix, char ***out, struct err *e);
/* "PATH: why; CONSEQUENCE" as a warning. *why is used up. 0, or -1 if it was about memory (then search->e has it). */
int sites_warn(const struct sites_search *s, const char *path, struct err *why, const char *consequence);

/* Where a machine keeps these files: this user's first. */
struct sites_standard {
	char **daemon_json;
	char **docker_certs;
	char **containerd_certs;
	char **registries_conf;
	char **registries_conf_d;
	struct sites_places places; /* the same, borrowed */
};
int sites_standard(struct sites_standard *s, struct err *e); /* to be released, on failure too */
void sites_standard_release(struct sites_standard *s);

/* Each fills s->out and s->itself. -1 for s->e. */
int sites_docker(struct sites_search *s, const char *const *daemon_json);
int sites_containerd(struct sites_search *s, const char *const *folders);
int sites_podman(struct sites_search *s, const struct sites_places *places);

/* Certificates for `site` from ROOT/HOST[:PORT] of each root, unless it has some. */
int sites_certificates(struct sites_search *s, struct site *site, const char *const *roots);
/* The same from one folder. *found: something was there. */
int sites_certificate_folder(struct sites_search *s, struct site *site, const char *folder, bool *found);

#endif
