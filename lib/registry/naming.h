/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_NAMING_H
#define REGISTRY_NAMING_H

/*
 * What well-known registries ask of a repository's name beyond the grammar that all share, known before anything is
 * sent. Registries that are not in the table say it themselves (registry_try_upload()).
 */

#include "base/err.h"
#include "oci/reference.h"

/* ERR_TARGET: this registry takes no such name, and why. */
int naming_check(const struct reference *name, struct err *e);

/* Appends to *e what may be missing at `host` where an upload to `repository` is refused, and what makes it. -1. */
int naming_hint_missing(const char *host, const char *repository, struct err *e);

#endif
