/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_SNIFF_H
#define PACK_SNIFF_H

/* What a file that is no archive seems to be, so that the message names it (promises, M14). */

#include "base/err.h"
#include "stream/space.h"

#include <stdbool.h>
#include <stddef.h>

/* Refuses a file by its first `len` bytes (512 or all of it): ERR_CORRUPT with what it seems to be. Always -1. */
int sniff_refuse(const char *head, size_t len, struct err *e);

/* What text tools made of a binary file, by its first bytes ("UTF-16 text; PowerShell's > ..."); NULL: nothing such. */
const char *sniff_damage(const char *head, size_t len);

/* True if the bytes are text, as far as they go. */
bool sniff_is_text(const char *head, size_t len);

/* Refuses a folder at `path`, which may be an OCI layout that was not put into a tar. Always -1. */
int sniff_refuse_folder(const char *path, struct err *e);

/* Adds to *e (ERR_CORRUPT alone) what the bytes themselves show of how they were damaged, if they do. Always -1. */
int sniff_explain(struct space *space, struct err *e);

#endif
