/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_PAGE_H
#define SERVE_PAGE_H

/* The page at /: what is served, and what to type to get it. Plain HTML without scripts or anything from elsewhere. */

#include "base/buf.h"
#include "serve/catalog.h"

#define PAGE_IMAGES 100 /* on one page */

struct page_wish {
	const struct catalog *catalog;
	const char *host; /* HOST[:PORT] by which the reader reached it */
	bool tls;
	bool login;      /* credentials are asked for */
	uint64_t number; /* of the page, from 1; what is too large is the last */
};

/* Headers that the page is to be sent with: nothing but its own style may run in it. */
#define PAGE_POLICY                                                                                                    \
	"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

int page_html(const struct page_wish *w, struct buf *out, struct err *e);

/* Foreign bytes as HTML text or a quoted attribute's value. */
int page_escape(const char *text, struct buf *out, struct err *e);

#endif
