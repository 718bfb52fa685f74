/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_DOCKERPROXIES_H
#define REGISTRY_DOCKERPROXIES_H

#include "base/err.h"
#include "http/http.h"

/*
 * The `proxies` of docker's config.json for the daemon in use ($DOCKER_HOST, else unix:///var/run/docker.sock): its own
 * entry, which then stands alone, else "default". No file, no entry: 0 and *out empty. *out must be empty before, and
 * is released by the caller on failure too. ERR_LOCAL for a file that docker would not read so; the message names the
 * file and the member and quotes no URL.
 */
int dockerproxies_find(struct http_proxies *out, struct err *e);

#endif
