/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_HOST_H
#define TARGET_DOCKER_HOST_H

/* Where a docker daemon listens: DOCKER_HOST and the variables of docker's client around it, read as docker reads them.
 */

#include "base/err.h"

#include <stdbool.h>

struct docker_host {
	char text[256]; /* for messages: "unix:///var/run/docker.sock" */
	char *socket;   /* path of the unix socket, or NULL */
	char *url;      /* "http://docker", "https://host:2376": without a path */
	bool podman;    /* it is podman's service */
	bool tls;
	char *cacert, *cert, *key; /* files, if tls; NULL: the file is not there */
};

/*
 * Reads "unix:///path" or "tcp://host[:port]"; NULL: $DOCKER_HOST, else unix:///var/run/docker.sock. ERR_USAGE for
 * ssh://, npipe:// and what is no address; ERR_LOCAL if TLS is asked for and ca.pem is not there. *out must be zero,
 * and is released by the caller on failure too.
 */
int docker_host_parse(struct docker_host *out, const char *host, struct err *e);
/*
 * The same for podman's service: $CONTAINER_HOST; else of $XDG_RUNTIME_DIR/podman/podman.sock and
 * /run/podman/podman.sock the first that is there, for root the other way round.
 */
int docker_host_podman(struct docker_host *out, struct err *e);
void docker_host_release(struct docker_host *h);

/* Appends to a failed connection's error what the person can do about it. Returns -1. */
int docker_host_explain(const struct docker_host *h, struct err *e);

#endif
