/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_NAMES_H
#define FLOW_NAMES_H

/* What images are called where they are loaded (design.md, TARGET and "Names when loading to a registry"). */

#include "base/err.h"
#include "base/own.h"
#include "flow/maps.h"
#include "pack/pack.h"

struct names {
	char **items; /* one an image of the pack; NULL: nameless */
	size_t count;
};

/*
 * The new name of every image. `renames`: NULL-terminated "OLD=NEW", or NULL; OLD is a reference as fetch takes it, or
 * the digest of an image that carries no name. `maps`: rules for the names that `renames` does not mention; what a rule
 * makes is treated as a NEW; may be NULL. `registry` NULL: names stay as they were asked for at fetch; else
 * quay.io/x/y:1 becomes REGISTRY/PREFIX/x/y:1 (a NEW that already starts with REGISTRY is taken as it stands), and
 * by-digest names get the digest that the root has in the archive. ERR_USAGE: an OLD that is not there, a NEW that is
 * no reference, two images that would get one name, an image without a name for a registry.
 */
struct names *names_new(const struct pack *p, const char *const *renames, const struct maps *maps, const char *registry,
			const char *prefix, struct err *e);
void names_free(struct names *n);
OWNED(names)

#endif
