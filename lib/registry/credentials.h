/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

/*
 * Who we are at a registry: docker's config.json ($DOCKER_CONFIG or ~/.docker; `auths`, `credHelpers`, `credsStore`,
 * `identitytoken`), read and written as docker does. A helper that cannot answer is an error for that registry, never a
 * reason to try something else. Docker Hub's key is https://index.docker.io/v1/. Keys match exactly after normalising
 * (scheme and path of old keys dropped); "xdocker.io" is not docker.io.
 */

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>

struct credential {
	char *username;       /* NULL: anonymous */
	char *password;       /* or NULL */
	char *identity_token; /* OAuth2 refresh token, or NULL */
};

/* Wiped, then freed; *c is anonymous again. */
void credential_release(struct credential *c);

/*
 * What the user has stored for `registry` ("docker.io", "host:port"). No entry: 0 and anonymous. Broken file or helper:
 * -1 (ERR_DENIED for the helper, ERR_LOCAL for the file), the message names the file or helper and never a secret.
 */
int credential_find(struct credential *out, const char *registry, struct err *e);

/* True if nothing is stored for it, and no helper would have to be asked to know: the user is anonymous there. */
bool credential_is_none(const char *registry);

/*
 * Stores through the helper the configuration names for this registry, else base64 in the file (mode 0600, written
 * beside and renamed, other content kept). *where (a static or owned-by-nobody phrase, "docker-credential-pass" or the
 * path) is filled for the message; it must hold 512 bytes.
 */
int credential_store(const char *registry, const struct credential *c, char where[512], struct err *e);

/* Forgets. *found says whether there was anything. */
int credential_erase(const char *registry, bool *found, char where[512], struct err *e);

#endif
