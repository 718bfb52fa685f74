/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_REFERRERS_H
#define OCI_REFERRERS_H

/*
 * Signatures, SBOMs and attestations belong to an image (their subject) without being part of it. They are found by
 * cosign's tags "sha256-<hex>.sig", ".att" and ".sbom" beside it, or because their manifest has a `subject` (OCI image
 * specification 1.1): then a registry lists them, or, where it cannot, the index under the tag "sha256-<hex>" does
 * (distribution specification 1.1, "Referrers Tag Schema").
 */

#include "base/buf.h"
#include "base/digest.h"

#include <stdbool.h>

#define REFERRERS_TAG_SIZE (7 + DIGEST_HEX_SIZE + 5) /* "sha256-<hex>.sbom" */

/* cosign's; NULL-terminated. */
extern const char *const referrers_suffixes[];
#define REFERRERS_SUFFIXES 3

/* "sha256-<hex>" and the suffix into out, returned. "": the fallback tag. */
const char *referrers_tag(const struct digest *subject, const char *suffix, char out[REFERRERS_TAG_SIZE]);

/* Is it one of cosign's tags of this subject? */
bool referrers_tag_valid(const char *tag, const struct digest *subject);

/*
 * The fallback index with an entry for a manifest: what `old` says (NULL: nothing stands there) stays as it is. 1: the
 * new one was appended to *out; 0: `old` names the manifest already; -1: ERR_TARGET, `old` is no index, or would grow
 * over LIMIT_MANIFEST; ERR_CORRUPT: the manifest is none.
 */
int referrers_merge(const char *old, size_t old_len, const char *manifest, size_t len, struct buf *out, struct err *e);

#endif
