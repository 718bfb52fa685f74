/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SECRET_H
#define REGISTRY_SECRET_H

/* Bytes that must not outlive their use: kept in a buf that is overwritten before it is freed. */

#include "base/buf.h"

#include <stdbool.h>

/*
 * AUTO_SECRET is AUTO_BUF for secrets. A buf that grows leaves its old bytes on the heap: reserve the room first, or
 * add through secret_add(), which moves and wipes.
 */
void secret_release(struct buf *b);
#define AUTO_SECRET __attribute__((cleanup(secret_release))) struct buf

int secret_add(struct buf *b, const void *bytes, size_t len, struct err *e);
int secret_puts(struct buf *b, const char *s, struct err *e);

/* Appends `text` as http_escape() would, without leaving copies. */
int secret_escape(struct buf *b, const char *text, struct err *e);

/* Base64 with padding (RFC 4648, 4), as Go's StdEncoding. Appends. */
int secret_base64(struct buf *b, const void *bytes, size_t len, struct err *e);

/* Appends the decoded bytes. 1: done, 0: it is no base64, -1: memory. */
int secret_unbase64(struct buf *b, const char *text, size_t len, struct err *e);

/* strdup() for a secret's owner; text_wipe_free() ends it. NULL gives NULL without an error. */
int secret_copy(char **out, const char *from, struct err *e);

#endif
