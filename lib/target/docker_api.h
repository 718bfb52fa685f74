/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_API_H
#define TARGET_DOCKER_API_H

/*
 * docker's Engine API, the little of it that a load needs. podman's service answers the same. Paths carry no version:
 * docker 29 refuses old ones, and without one every daemon takes its own.
 */

#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "http/http.h"
#include "oci/json.h"
#include "oci/platform.h"
#include "stream/source.h"

#include <stdbool.h>
#include <stdint.h>

struct docker;

/*
 * A connection to `host` ("unix:///path", "tcp://host:port"; NULL: $DOCKER_HOST, else /var/run/docker.sock). Nothing is
 * sent yet. tcp:// is TLS if DOCKER_TLS_VERIFY or DOCKER_TLS is set; ca.pem, cert.pem and key.pem stand in
 * DOCKER_CERT_PATH or ~/.docker. ERR_USAGE for ssh://, npipe:// and what is no address at all. `http` is borrowed.
 */
struct docker *docker_new(const char *host, struct http *http, struct err *e);
/* The same to podman's service: at $CONTAINER_HOST, else where this user's or root's listens. */
struct docker *docker_new_podman(struct http *http, struct err *e);
void docker_free(struct docker *d);
OWNED(docker)

/* The address, for messages: "unix:///var/run/docker.sock". */
const char *docker_where(const struct docker *d);

/* Does a daemon answer? The message of a failure says why not and what to do. */
int docker_ping(struct docker *d, struct err *e);

/* GET `path` into *doc, owned by the caller; NULL for a 404 if `absent_ok`. Any other answer than 200: ERR_TARGET. */
int docker_get(struct docker *d, const char *path, bool absent_ok, struct jdoc **doc, struct err *e);

/* GET `path`, whose answer is too long for memory: its bytes as they come. NULL: failed, as docker_get(). */
struct source *docker_open(struct docker *d, const char *path, struct err *e);

/* What kind of daemon this is. */
struct docker_kind {
	bool podman;
	bool containerd_store;    /* images are kept by containerd: an image's ID is its manifest's or index's digest */
	struct platform platform; /* what it runs */
};
int docker_learn(struct docker *d, struct docker_kind *out, struct err *e);

/*
 * POST /images/load of `size` bytes of tar (borrowed, read to its end). 0: the daemon says that it loaded something,
 * which proves nothing yet. `seconds`: how long it may be silent.
 */
int docker_post_load(struct docker *d, struct source *tar, uint64_t size, unsigned seconds, const struct events *events,
		     struct err *e);

#endif
