/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_HELPER_H
#define REGISTRY_HELPER_H

/*
 * docker-credential-NAME: a program found in PATH, run without a shell, the request on its standard input, JSON on its
 * standard output (protocol of docker-credential-helpers). It gets no descriptor of ours but 0, 1 and 2, and
 * LIMIT_HELPER_SECONDS. All failures are ERR_DENIED, name the helper and never hold a secret.
 */

#include "base/err.h"
#include "registry/credentials.h"

#include <stdbool.h>

/* ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$ : nothing else is ever put behind "docker-credential-". */
bool helper_name_valid(const char *name);

/* What it keeps for `server`. Nothing: 0 and anonymous. */
int helper_get(const char *name, const char *server, struct credential *out, struct err *e);
int helper_store(const char *name, const char *server, const struct credential *c, struct err *e);
/* Erasing what is not there is no failure. */
int helper_erase(const char *name, const char *server, struct err *e);

#endif
