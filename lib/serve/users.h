/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_USERS_H
#define SERVE_USERS_H

/* Who may ask: a file of users as `htpasswd -B` writes it, checked by crypt(3). */

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>

struct users;

/*
 * Reads "USER:HASH" lines; empty ones and # comments are skipped. Hashes: bcrypt ($2y$, $2b$, $2a$), SHA-crypt ($5$,
 * $6$) and yescrypt ($y$). The older ones of htpasswd can be guessed and are refused. ERR_USAGE names the line;
 * ERR_LOCAL.
 */
struct users *users_read(const char *path, struct err *e);
void users_free(struct users *u);
OWNED(users)

/*
 * From any thread. How long a refusal takes does not tell whether the user is there. A password that was right is
 * remembered as a keyed hash, since clients send it with every request and bcrypt is slow by design; refusals are
 * worked out one at a time, so that guessing takes one CPU at most.
 */
bool users_check(struct users *u, const char *user, const char *password);

#endif
