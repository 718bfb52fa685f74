/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_INVENTORY_H
#define PACK_INVENTORY_H

/*
 * What a site has, as a text that can be carried out: the list that `fetch --have` takes.
 *
 *     imgpack-inventory 1
 *     # comments for a person: anywhere, of any content, not covered by the end line
 *     chain:<64 hex digits>
 *     ...
 *     sha256:<64 hex digits>
 *     ...
 *     end <how many> <hex sha256>
 *
 * One digest a line, sorted as `LC_ALL=C sort` does, each once. The end line counts them, and its sha256 is over the
 * version line and the digests as written above, a newline behind each.
 *
 * What a line promises:
 *   sha256:D  content with digest D stands there and is kept under that digest: a layer, config, manifest or index in a
 *             registry, in containerd, in docker's containerd store, in podman, or in an archive. A consumer that looks
 *             layers up by blob digest does not need D again.
 *   chain:C   docker with a graph driver (overlay2, vfs; its default up to 28). It keeps no blobs: it unpacked layers,
 *             each on top of the layers below it, and knows the result by its chain ID (OCI image specification, "Layer
 *             ChainID"). When it loads an image it reads a layer only if the chain ID of that layer and all below it is
 *             new; the blob's digest and the diff ID alone mean nothing to it, since the same diff ID on another base
 *             is another layer. So a layer may be left out for it if and only if inventory_has(HAVE_CHAIN) of the chain
 *             over the config's diff IDs from the base up to this layer.
 * The two are never exchangeable: no `chain:` line says that a blob can be pushed or served from there, and no
 * `sha256:` line says that docker with a graph driver unpacked it.
 *
 * Lists travel by mail and through editors. No line that imgpack writes is longer than INVENTORY_LINE columns, all is
 * ASCII, and no word is "=", so nothing wraps or encodes it. Read as the same: CRLF and old Macs' line ends, blanks and
 * tabs at both ends, blank lines, a UTF-8 byte-order mark, and the "> " of a quoted mail. Everything else is refused.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"
#include "pack/pack.h"

#include <stdbool.h>
#include <stddef.h>

#define INVENTORY_LINE 72

enum have_kind { HAVE_CHAIN, HAVE_BLOB, HAVE_KINDS }; /* in the order in which they are written */

/* A set of digests of each kind, and comments. */
struct inventory;
struct inventory *inventory_new(struct err *e);
void inventory_free(struct inventory *v);
OWNED(inventory)

/* Adds a digest; one that is there already is no error. */
int inventory_add(struct inventory *v, enum have_kind kind, const struct digest *d, struct err *e);
bool inventory_has(const struct inventory *v, enum have_kind kind, const struct digest *d);
size_t inventory_count(const struct inventory *v, enum have_kind kind);

/*
 * May a layer be left out? `chain` is its chain ID, or NULL if it has none. Each kind of line that the list has at all
 * stands for a consumer that must do without the layer, so the list must have it in all of them; an empty list has
 * nothing. (A list of archives has both kinds: whoever took them, what is left out is there.)
 */
bool inventory_covers(const struct inventory *v, const struct digest *blob, const struct digest *chain);

/*
 * The chain ID of a layer: *chain is that of the layers below it, and becomes the one with it. `base`: it is the lowest
 * layer, and *chain is only written.
 */
int inventory_chain(struct digest *chain, bool base, const struct digest *diff_id, struct err *e);

/* Adds the chain of every layer of an image: all that docker with a graph driver keeps of it. */
int inventory_add_chains(struct inventory *v, const struct digest *diff_ids, size_t count, struct err *e);

/*
 * What stands where an archive was loaded: its blobs, those that a thin one relied on, since it would not have loaded
 * without them, and the chains of its images, which docker with a graph driver has after that.
 */
int inventory_add_pack(struct inventory *v, const struct pack *p, struct err *e);

/* A comment for the list's head; any text: made ASCII, wrapped at INVENTORY_LINE. Comments are written in this order.
 */
int inventory_comment(struct inventory *v, const char *text, struct err *e);

/* The text, appended; depends on the digests and the comments alone. ERR_USAGE: it would be over LIMIT_INVENTORY. */
int inventory_write(struct inventory *v, struct buf *out, struct err *e);

/* True if the text begins as a list does. */
bool inventory_detect(const char *text, size_t len);

/*
 * Adds what a list says; several lists make a union. ERR_CORRUPT names the line and what is wrong; *v then is as it
 * was.
 */
int inventory_parse(struct inventory *v, const char *text, size_t len, struct err *e);

#endif
