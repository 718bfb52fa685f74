/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REFERRERS_H
#define REGISTRY_REFERRERS_H

/*
 * GET /v2/NAME/referrers/DIGEST (OCI distribution specification 1.1, "Listing Referrers"): which manifests name DIGEST
 * as their subject, page by page like list.h. Many registries do not know it, and say so in many ways.
 */

#include "oci/manifest.h"
#include "registry/registry.h"

/* One descriptor. Borrowed during the call. -1 ends the listing with *e. */
typedef int registry_referrer_fn(void *ctx, const struct descriptor *d, struct err *e);

/*
 * 1: all were given; 0: this registry cannot say (404, 406 and other refusals, a redirect, a web page, no index): the
 * fallback tag is to be asked. -1: ERR_NETWORK: a later page that is none, pages without end or elsewhere, more than
 * LIMIT_REFERRERS.
 */
int registry_list_referrers(struct registry_conn *c, const char *repository, const struct digest *subject,
			    registry_referrer_fn *fn, void *ctx, struct err *e);

#endif
