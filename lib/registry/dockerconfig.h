/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_DOCKERCONFIG_H
#define REGISTRY_DOCKERCONFIG_H

/*
 * docker's config.json as a file: where it stands, what is in it, and one change to it that leaves every other byte
 * alone. All failures are ERR_LOCAL and name the file; none quotes it, since it holds secrets.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "oci/json.h"

#include <stdbool.h>

struct dockerconfig;

/* Reads $DOCKER_CONFIG/config.json or ~/.docker/config.json. No file, or an empty one: a config without content. */
struct dockerconfig *dockerconfig_load(struct err *e);
void dockerconfig_free(struct dockerconfig *d); /* wiped */
OWNED(dockerconfig)

const char *dockerconfig_path(const struct dockerconfig *d);

/* The document; NULL stands for an empty one, as jval_ functions take it. */
const struct jval *dockerconfig_root(const struct dockerconfig *d);

/*
 * Writes the file anew with `auths`.`key` = `entry` (JSON text, borrowed), or without that member if entry is NULL. An
 * `auths` that is not there is added. Written beside, mode 0600, synced, renamed over the file (over the file a
 * symbolic link stands for); a folder that is missing is made, mode 0700. `d` still shows the old content.
 */
int dockerconfig_set_auth(struct dockerconfig *d, const char *key, const char *entry, struct err *e);

#endif
